{{/* What several objects have in common. */}}

{{- define "aureole.labels" -}}
{app.kubernetes.io/name: aureole, app.kubernetes.io/component: {{ . }}}
{{- end }}

{{- define "aureole.address" -}}
aureole-coordinator-{{ . }}.aureole-coordinator:7400
{{- end }}

{{- define "aureole.coordinators" -}}
coordinators = [
{{- range $index := until (int .Values.coordinator.replicas) }}
  "{{ include "aureole.address" $index }}",
{{- end }}
]
{{- end }}

{{/* The address of PostgreSQL, of its own or of yours; nothing if there is none. */}}
{{- define "aureole.archive.url" -}}
{{- if .Values.services.own }}postgres://aureole@aureole-postgres:5432/aureole?sslmode=disable
{{- else }}{{ .Values.archive.url | default "" }}{{ end }}
{{- end }}

{{- define "aureole.cache.url" -}}
{{- if .Values.services.own }}redis://aureole-redis:6379
{{- else }}{{ .Values.cache.url | default "" }}{{ end }}
{{- end }}

{{/* Not empty if there is a password to mount. */}}
{{- define "aureole.services" -}}
{{ include "aureole.archive.url" . }}{{ include "aureole.cache.url" . }}
{{- end }}

{{- define "aureole.archive" -}}
{{- with include "aureole.archive.url" . }}
[archive]
url = "{{ . }}"
password_file = "/run/aureole/services/archive.password"
{{- with $.Values.archive.keep }}
keep = {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "aureole.cache" -}}
{{- with include "aureole.cache.url" . }}
[cache]
url = "{{ . }}"
password_file = "/run/aureole/services/cache.password"
{{- end }}
{{- end }}

{{/* Where the pods of a component of its own, or servers of yours, are found by a network policy. */}}
{{- define "aureole.peer" -}}
{{- if .root.Values.services.own -}}
- podSelector: {matchLabels: {{ include "aureole.labels" .component }}}
{{- else -}}
- ipBlock: {cidr: {{ .root.Values.services.network }}}
{{- end }}
{{- end }}

{{- define "aureole.log" -}}
[log]
format = "{{ .Values.config.log.format }}"
{{- with .Values.config.log.filter }}
filter = {{ . | quote }}
{{- end }}
{{- end }}

{{- define "aureole.limits" -}}
{{- with .Values.config.kMax }}
[limits]
k_max = {{ . }}
{{- end -}}
{{- end }}

{{- define "aureole.plugins" -}}
{{- if or .Values.config.trustedSigners .Values.config.requireSignature }}
[plugins]
trusted_signers = {{ toJson .Values.config.trustedSigners }}
require_signature = {{ .Values.config.requireSignature }}
{{- end }}
{{- end }}

{{/* Stands at the end of each configuration, where the component of kustomize writes it too. */}}
{{- define "aureole.traces" -}}
{{- with .Values.traces.endpoint }}
[traces]
endpoint = "{{ . }}"
{{- if kindIs "invalid" $.Values.traces.perMille | not }}
per_mille = {{ $.Values.traces.perMille }}
{{- end }}
{{- end }}
{{- end }}

{{- define "aureole.webhooks" -}}
{{- with .Values.webhooks }}
{{- if .enabled }}
[webhooks]
enabled = true
allow = {{ toJson .allow }}
allow_http = {{ .allowHttp }}
ports = {{ toJson .ports }}
{{- end }}
{{- end }}
{{- end }}

{{- define "aureole.tokens" -}}
{{- with .Values.tokens }}
{{- if .issuer }}
[access.tokens]
issuer = "{{ .issuer }}"
audience = "{{ .audience }}"
{{- with .tenantClaim }}
tenant_claim = "{{ . }}"
{{- end }}
{{- with .roleClaim }}
role_claim = "{{ . }}"
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The public internet, for a network policy. */}}
{{- define "aureole.public" -}}
- ipBlock:
    cidr: 0.0.0.0/0
    except: [0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16, 224.0.0.0/3]
- ipBlock: {cidr: "2000::/3"}
{{- end }}

{{- define "aureole.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "aureole.container" -}}
name: aureole
image: {{ printf "%s:%s" .Values.image.repository .Values.image.tag | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "aureole.liveness" -}}
livenessProbe: {httpGet: {path: /health/live, port: http}, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6}
readinessProbe: {httpGet: {path: /health/ready, port: http}, periodSeconds: 5, timeoutSeconds: 5}
{{- end }}
