{{/* The labels of every object. Call with (dict "root" $ "component" "controller"). */}}
{{- define "weft.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
app.kubernetes.io/part-of: weft
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{ include "weft.selector" . }}
{{- end -}}

{{/* What a Service and a Deployment find their Pods by; may never change. */}}
{{- define "weft.selector" -}}
app.kubernetes.io/name: weft
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* repository:tag, or repository@sha256:... when the tag is a digest. Call with (list $ image). */}}
{{- define "weft.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $tag := $image.tag | default $root.Chart.AppVersion -}}
{{- if hasPrefix "sha256:" $tag -}}{{ $image.repository }}@{{ $tag }}{{- else -}}{{ $image.repository }}:{{ $tag }}{{- end -}}
{{- end -}}

{{/* The namespaces in which no Pod is ever meshed. */}}
{{- define "weft.excludedNamespaces" -}}
[kube-system, kube-public, kube-node-lease, {{ .Release.Namespace }}]
{{- end -}}
