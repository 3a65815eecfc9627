{{/* Labels that Services, policies and monitors select by. Call with a component's name. */}}
{{- define "palisade.selector" -}}
app.kubernetes.io/name: {{ . }}
{{- end }}

{{- define "palisade.labels" -}}
app.kubernetes.io/name: {{ . }}
app.kubernetes.io/part-of: palisade
{{- end }}

{{- define "palisade.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "palisade.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "palisade.image" -}}
image: {{ .Values.image | quote }}
imagePullPolicy: {{ .Values.imagePullPolicy }}
{{- end }}

{{/* What each program is told, whichever it is. */}}
{{- define "palisade.commonEnv" -}}
- name: POD_NAME
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
- name: POD_NAMESPACE
  valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
- name: PALISADE_PROFILE
  value: {{ .Values.profile }}
- name: PALISADE_CLUSTER_ID
  value: {{ .Values.clusterId }}
- name: PALISADE_TLS_DIR
  value: /etc/palisade/tls
- name: PALISADE_VAULT_ADDR
  value: {{ .Values.openbao.address }}
- name: PALISADE_VAULT_TOKEN_PATH
  value: /var/run/secrets/palisade/openbao/token
{{- end }}

{{/* A token that the secret store accepts and the API server does not. */}}
{{- define "palisade.openbaoTokenVolume" -}}
- name: openbao-token
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          audience: {{ .Values.openbao.audience }}
          expirationSeconds: 600
          path: token
{{- end }}

{{- define "palisade.openbaoTokenMount" -}}
- name: openbao-token
  mountPath: /var/run/secrets/palisade/openbao
  readOnly: true
{{- end }}

{{/* Egress to pods of another namespace. Call with (list namespace labels port). */}}
{{- define "palisade.egressTo" -}}
- to:
    - namespaceSelector:
        matchLabels: { kubernetes.io/metadata.name: {{ index . 0 }} }
      podSelector:
        matchLabels: {{ index . 1 | toJson }}
  ports:
    - { protocol: TCP, port: {{ index . 2 }} }
{{- end }}

{{- define "palisade.ingressFrom" -}}
- from:
    - namespaceSelector:
        matchLabels: { kubernetes.io/metadata.name: {{ index . 0 }} }
      podSelector:
        matchLabels: {{ index . 1 | toJson }}
  ports:
    - { protocol: TCP, port: {{ index . 2 }} }
{{- end }}

{{- define "palisade.egressDns" -}}
- to:
    - namespaceSelector:
        matchLabels: { kubernetes.io/metadata.name: kube-system }
      podSelector:
        matchLabels: { k8s-app: kube-dns }
  ports:
    - { protocol: UDP, port: 53 }
    - { protocol: TCP, port: 53 }
{{- end }}

{{/* An empty list would mean every address, and so does a network of all of them. */}}
{{- define "palisade.egressApiServer" -}}
{{- if not .Values.networkPolicies.apiServer.cidrs }}
{{- fail "networkPolicies.apiServer.cidrs is empty: list the addresses that kubectl get endpointslices kubernetes shows" }}
{{- end }}
{{- range .Values.networkPolicies.apiServer.cidrs }}
{{- if and (ne $.Values.profile "dev") (regexMatch "/0+$" .) }}
{{- fail (printf "networkPolicies.apiServer.cidrs: %s lets these pods reach every address: name those of the API server" .) }}
{{- end }}
{{- end -}}
- to:
    {{- range .Values.networkPolicies.apiServer.cidrs }}
    - ipBlock: { cidr: {{ . | quote }} }
    {{- end }}
  ports:
    - { protocol: TCP, port: {{ .Values.networkPolicies.apiServer.port }} }
{{- end }}

{{/* Our own database by its pods, somebody else's by its addresses. */}}
{{- define "palisade.egressDatabase" -}}
{{- $network := .Values.networkPolicies -}}
{{- if $network.database.cidrs -}}
- to:
    {{- range $network.database.cidrs }}
    - ipBlock: { cidr: {{ . | quote }} }
    {{- end }}
  ports:
    - { protocol: TCP, port: {{ $network.database.port }} }
{{- else -}}
{{- include "palisade.egressTo" (list $network.namespaces.data (dict "cnpg.io/podRole" "instance") 5432) }}
{{- end }}
{{- end }}

{{/* An empty list would mean every address, and so does a network of all of them. */}}
{{- define "palisade.egressObjectStore" -}}
{{- $store := .Values.networkPolicies.objectStore -}}
{{- if not $store.cidrs }}
{{- fail "networkPolicies.objectStore.cidrs is empty: list the networks of the object store" }}
{{- end }}
{{- range $store.cidrs }}
{{- if regexMatch "/0+$" . }}
{{- fail (printf "networkPolicies.objectStore.cidrs: %s lets the sealer reach every address: name the networks of the object store" .) }}
{{- end }}
{{- end -}}
- to:
    {{- range $store.cidrs }}
    - ipBlock: { cidr: {{ . | quote }} }
    {{- end }}
  ports:
    - { protocol: TCP, port: {{ $store.port }} }
{{- end }}

{{/* The authority of somebody else's database: of its connection Secret, this one key and no other. */}}
{{- define "palisade.databaseCaVolume" -}}
{{- with .Values.database.caSecret }}
- name: database-ca
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - { key: ca.crt, path: ca.crt }
{{- end }}
{{- end }}

{{- define "palisade.databaseCaMount" -}}
{{- if .Values.database.caSecret }}
- { name: database-ca, mountPath: /etc/palisade/database-ca, readOnly: true }
{{- end }}
{{- end }}
