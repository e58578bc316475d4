{{- define "bellwire.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "bellwire.selector" -}}
app.kubernetes.io/name: bellwire
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "bellwire.labels" -}}
{{ include "bellwire.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "bellwire.config" -}}
{{- $config := dict "listen" "0.0.0.0:8080" "node-listen" "0.0.0.0:8081" "keyset-file" "/etc/bellwire-keyset/keyset" "public-url" (required "publicURL must be the URL at which clients reach the server, such as https://webhooks.example.com" .Values.publicURL) "log-format" "json" "drain-delay" .Values.drainDelay "drain-timeout" .Values.drainTimeout }}
{{- toYaml (merge (deepCopy .Values.config) $config) }}
{{- end }}
