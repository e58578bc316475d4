package deploy

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// helm runs the tool that go.mod names.
func helm(t *testing.T, args ...string) string {
	t.Helper()
	return output(t, []string{"GOWORK=off"}, "go", append([]string{"-C", "deploy", "tool", "helm"}, args...)...)
}

// render returns the objects of the chart with values.
func render(t *testing.T, values ...string) string {
	t.Helper()
	args := []string{"template", "bellwire", filepath.Join(root, chart), "--kube-version", "1.30", "--set", "publicURL=https://webhooks.example.com"}
	for _, value := range values {
		args = append(args, "--set", value)
	}
	return helm(t, args...)
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
	helm(t, "lint", "--strict", filepath.Join(root, chart), "--set", "publicURL=https://webhooks.example.com")
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
		_, errors, err := start(t.Context(), []string{"GOWORK=off"}, "go", "-C", "deploy", "tool", "helm", "template", "bellwire", filepath.Join(root, chart),
			"--kube-version", "1.30", "--set", "publicURL=https://webhooks.example.com", "--set", value)
		if err == nil || !strings.Contains(errors, "schema") {
			t.Errorf("%s: %v %s", value, err, errors)
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
