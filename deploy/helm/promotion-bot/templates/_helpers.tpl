{{- define "bot.name" -}}
{{ .Release.Name | trunc 53 | trimSuffix "-" }}
{{- end }}
{{- define "bot.selector" -}}
app.kubernetes.io/name: promotion-bot
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "bot.labels" -}}
{{ include "bot.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
{{- define "bot.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}
{{- define "bot.rules" -}}
- apiGroups: ["apps"]
  resources: ["deployments", "statefulsets", "daemonsets", "replicasets"]
  verbs: ["list", "watch"]
- apiGroups: ["batch"]
  resources: ["jobs", "cronjobs"]
  verbs: ["list", "watch"]
- apiGroups: [""]
  resources: ["pods", "events"]
  verbs: ["list", "watch"]
- apiGroups: ["autoscaling"]
  resources: ["horizontalpodautoscalers"]
  verbs: ["list", "watch"]
- apiGroups: ["keda.sh"]
  resources: ["scaledobjects"]
  verbs: ["list", "watch"]
- apiGroups: ["argoproj.io"]
  resources: ["rollouts", "applications", "applicationsets"]
  verbs: ["list", "watch"]
- apiGroups: ["kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"]
  resources: ["kustomizations", "helmreleases", "gitrepositories", "ocirepositories"]
  verbs: ["list", "watch"]
{{- if .Values.rbac.nudgeAgents }}
- apiGroups: ["argoproj.io"]
  resources: ["applications"]
  verbs: ["patch"]
- apiGroups: ["kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"]
  resources: ["kustomizations", "helmreleases", "gitrepositories", "ocirepositories"]
  verbs: ["patch"]
{{- end }}
{{- end }}
{{- define "bot.reach" -}}
{{- if .ports -}}
- ports:
    {{- range .ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with .to }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
{{- define "bot.configured" -}}
{{- range regexFindAll "://[^/\\s\"']*:[0-9]+" (toYaml .) -1 | uniq }}
- ports: [{port: {{ regexFind "[0-9]+$" . }}, protocol: TCP}]
{{- end }}
{{- with get . "notifications" }}
{{- with get . "mail" }}
{{- range . }}
- ports: [{port: {{ get . "port" | default 587 }}, protocol: TCP}]
{{- end }}
{{- end }}
{{- end }}
{{- end }}
