package deploy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"helm.sh/helm/v3/pkg/releaseutil"
	"helm.sh/helm/v3/pkg/strvals"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

const (
	chart     = "deploy/helm/bellwire"
	manifests = "deploy/kubernetes/bellwire.yaml"
)

// usualValues are what every installation of the chart must say.
const usualValues = "publicURL=https://webhooks.example.com"

// valuesOf returns the values of a chart as "helm --set" reads them.
func valuesOf(t *testing.T, set ...string) map[string]any {
	t.Helper()
	values := make(map[string]any)
	for _, value := range append([]string{usualValues}, set...) {
		if err := strvals.ParseInto(value, values); err != nil {
			t.Fatal(err)
		}
	}
	return values
}

// template returns the objects of the chart with values, as "helm template bellwire" does. It uses Helm's packages and not its
// command, which would take minutes to compile.
func template(t *testing.T, set ...string) (string, error) {
	t.Helper()
	chart, err := loader.Load(filepath.Join(root, chart))
	if err != nil {
		t.Fatal(err)
	}
	kubernetes, err := chartutil.ParseKubeVersion("1.30")
	if err != nil {
		t.Fatal(err)
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *kubernetes
	release := chartutil.ReleaseOptions{Name: "bellwire", Namespace: "default", Revision: 1, IsInstall: true}
	values, err := chartutil.ToRenderValues(chart, valuesOf(t, set...), release, capabilities)
	if err != nil {
		return "", err
	}
	rendered, err := new(engine.Engine).Render(chart, values)
	if err != nil {
		return "", err
	}
	delete(rendered, "bellwire/templates/NOTES.txt")
	hooks, objects, err := releaseutil.SortManifests(rendered, nil, releaseutil.InstallOrder)
	if err != nil || len(hooks) > 0 {
		t.Fatalf("the chart has the hooks %v: %v", hooks, err)
	}
	var text strings.Builder
	for _, object := range objects {
		fmt.Fprintf(&text, "---\n# Source: %s\n%s\n", object.Name, object.Content)
	}
	return strings.TrimSpace(text.String()) + "\n", nil
}

// render returns the objects of the chart with values.
func render(t *testing.T, set ...string) string {
	t.Helper()
	text, err := template(t, set...)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// decode decodes objects by Kubernetes' types, and fails on members that the types do not have. Kinds of the Prometheus operator
// are left out.
func decode(t *testing.T, text string) []runtime.Object {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	reader := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	var objects []runtime.Object
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(document), "monitoring.coreos.com") || !strings.Contains(string(document), "kind:") {
			continue
		}
		object, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		objects = append(objects, object)
	}
}

// find returns the object of a type.
func find[T runtime.Object](t *testing.T, objects []runtime.Object) T {
	t.Helper()
	for _, object := range objects {
		if found, ok := object.(T); ok {
			return found
		}
	}
	t.Fatalf("no %T in %v", *new(T), objects)
	panic("unreachable")
}

func TestChart(t *testing.T) {
	t.Parallel()
	for _, found := range lint.All(filepath.Join(root, chart), valuesOf(t), "default", true).Messages {
		if found.Severity > support.InfoSev {
			t.Error(found)
		}
	}
	for name, values := range map[string][]string{
		"default":    nil,
		"everything": {"ingress.enabled=true", "ingress.host=webhooks.example.com", "ingress.className=nginx", "ingress.tlsSecret=tls", "autoscaling.enabled=true", "monitoring.serviceMonitor=true", "config.retention=90d", "nodeSelector.pool=web", "podAnnotations.a=b", "podLabels.c=d", "imagePullSecrets[0].name=registry", "env[0].name=BELLWIRE_LOG_LEVEL", "env[0].value=debug", "tolerations[0].operator=Exists"},
		"least":      {"disruptionBudget.enabled=false", "topologySpreadConstraints=null", "replicas=1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkObjects(t, decode(t, render(t, values...)))
		})
	}
}

// checkObjects checks that the nodes run as they must, and that the server takes their configuration.
func checkObjects(t *testing.T, objects []runtime.Object) {
	t.Helper()
	pod := find[*appsv1.StatefulSet](t, objects).Spec.Template.Spec
	node := pod.Containers[0]
	if s := node.SecurityContext; !*pod.SecurityContext.RunAsNonRoot || !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation || s.Capabilities.Drop[0] != "ALL" {
		t.Error("a node must run without rights")
	}
	if node.ReadinessProbe.HTTPGet.Path != "/readyz" || node.LivenessProbe.HTTPGet.Path != "/healthz" {
		t.Error("a node must be probed")
	}
	secrets := map[string]bool{}
	env := map[string]string{}
	for _, variable := range node.Env {
		switch {
		case variable.ValueFrom == nil:
			env[variable.Name] = strings.ReplaceAll(variable.Value, "$(BELLWIRE_NODE)", "bellwire-0")
		case variable.ValueFrom.SecretKeyRef != nil:
			secrets[variable.ValueFrom.SecretKeyRef.Key] = true
		}
	}
	if !secrets["database-url"] || !secrets["admin-key"] {
		t.Errorf("the secrets are not from a secret: %v", secrets)
	}
	env["BELLWIRE_KEYSET_FILE"] = filepath.Join(t.TempDir(), "bellwire.keyset")
	accepted(t, find[*corev1.ConfigMap](t, objects).Data["bellwire.yaml"], env)
}

func TestChartRefusesBadValues(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"replicas=0", "unknown=1", "ingress.enabled=true", "publicURL=webhooks.example.com"} {
		if _, err := template(t, value); err == nil || !strings.Contains(err.Error(), "schema") {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// The manifests are what the chart gives, so that they cannot differ. BELLWIRE_UPDATE=1 writes them.
func TestManifests(t *testing.T) {
	t.Parallel()
	want := "# Made from the chart by \"BELLWIRE_UPDATE=1 make packages\". Change the URL and the image's version; then see docs/install.md.\n" + render(t)
	if os.Getenv("BELLWIRE_UPDATE") != "" {
		if err := os.WriteFile(filepath.Join(root, manifests), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(filepath.Join(root, manifests))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s differs from what the chart gives; run BELLWIRE_UPDATE=1 make packages", manifests)
	}
}
