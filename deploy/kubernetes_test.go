package deploy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	goyaml "go.yaml.in/yaml/v3"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"helm.sh/helm/v3/pkg/releaseutil"
	"helm.sh/helm/v3/pkg/strvals"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
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
		"everything": {"ingress.enabled=true", "ingress.host=webhooks.example.com", "ingress.className=nginx", "ingress.tlsSecret=tls", "autoscaling.enabled=true", "monitoring.serviceMonitor=true", "monitoring.rules=true", "monitoring.labels.release=prometheus", "config.retention=90d", "nodeSelector.pool=web", "podAnnotations.a=b", "podLabels.c=d", "imagePullSecrets[0].name=registry", "env[0].name=BELLWIRE_LOG_LEVEL", "env[0].value=debug", "tolerations[0].operator=Exists"},
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
	for _, value := range []string{"replicas=0", "unknown=1", "ingress.enabled=true", "publicURL=webhooks.example.com", "ingress.paths[0]=api", "startupTimeout=0"} {
		if _, err := template(t, value); err == nil || !strings.Contains(err.Error(), "schema") {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// From outside, only what customers need is reachable, unless an operator adds paths.
func TestIngressPaths(t *testing.T) {
	t.Parallel()
	set := []string{"ingress.enabled=true", "ingress.host=webhooks.example.com"}
	for added, want := range map[string]string{"": "/api /portal /portal.js", "ingress.paths={/api,/v1}": "/api /v1"} {
		ingress := find[*networkingv1.Ingress](t, decode(t, render(t, append(slices.Clone(set), strings.Fields(added)...)...)))
		var paths []string
		for _, path := range ingress.Spec.Rules[0].HTTP.Paths {
			paths = append(paths, path.Path)
		}
		if got := strings.Join(paths, " "); got != want {
			t.Errorf("with %q, the paths are %s, want %s", added, got, want)
		}
	}
}

// A start may take an hour, unless the values say otherwise.
func TestStartupTimeout(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]int32{"startupTimeout=3600": 3600, "startupTimeout=31": 32} {
		probe := find[*appsv1.StatefulSet](t, decode(t, render(t, value))).Spec.Template.Spec.Containers[0].StartupProbe
		if got := probe.PeriodSeconds * probe.FailureThreshold; got != want {
			t.Errorf("%s gives a node %d seconds, want %d", value, got, want)
		}
	}
}

// The chart's alerts are those that people load without it. BELLWIRE_UPDATE=1 copies them.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile(filepath.Join(root, "deploy", "prometheus", "bellwire.rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, chart, "files", "bellwire.rules.yaml")
	if os.Getenv("BELLWIRE_UPDATE") != "" {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the rules in the chart differ from those in deploy/prometheus; run BELLWIRE_UPDATE=1 make packages")
	}
	type object struct {
		Kind     string
		Metadata struct{ Labels map[string]string }
		Spec     any
	}
	made := make(map[string]object)
	for document := range strings.SplitSeq(render(t, "monitoring.rules=true", "monitoring.serviceMonitor=true", "monitoring.labels.release=prometheus"), "\n---\n") {
		var o object
		if err := goyaml.Unmarshal([]byte(document), &o); err != nil {
			t.Fatal(err)
		}
		made[o.Kind] = o
	}
	for _, kind := range []string{"PrometheusRule", "ServiceMonitor"} {
		if labels := made[kind].Metadata.Labels; labels["release"] != "prometheus" || labels["app.kubernetes.io/name"] != "bellwire" {
			t.Errorf("the %s has the labels %v", kind, labels)
		}
	}
	var spec any
	if err := goyaml.Unmarshal(want, &spec); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(made["PrometheusRule"].Spec, spec) {
		t.Errorf("the rules of the chart are %v, want %v", made["PrometheusRule"].Spec, spec)
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
