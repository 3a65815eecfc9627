import type { Manifest } from '../cluster/manifest.ts'

interface Probe {
  readonly initialDelaySeconds?: number
  readonly periodSeconds?: number
  readonly failureThreshold?: number
}

interface Container {
  readonly name: string
  readonly image: string
  readonly startupProbe?: Probe
  readonly readinessProbe?: Probe
  readonly args?: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value?: string }[]
}

interface Workload {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly Container[] } }
  }
}

const RESTRICTED_POD = {
  runAsNonRoot: true,
  runAsUser: 10001,
  runAsGroup: 10001,
  seccompProfile: { type: 'RuntimeDefault' },
}

const RESTRICTED_CONTAINER = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}

/** Memory is what their caches of a small cluster were seen to take, doubled; they idle on little CPU. */
const RESOURCES = {
  requests: { cpu: '10m', memory: '64Mi' },
  limits: { cpu: '1', memory: '384Mi' },
}

const OPERATORS: readonly string[] = [
  ...['cert-manager-controller', 'cert-manager-webhook', 'cert-manager-cainjector'],
  ...['cnpg-manager', 'prometheus-operator'],
]

/** Whether one of their own pods runs it; what they hand on to others is not needed to start them. */
export const isOfOperators = ({ name }: { readonly name: string }): boolean =>
  OPERATORS.includes(name)

/** What we call the program of a released image, which is the last part of its name. */
const nameIn = (image: string): string => {
  const name = /([^/]+?):[^/]*$/.exec(image)?.[1] ?? image
  return RENAMED[name] ?? name
}

/** Image of ours for the released one. */
const ours = (image: string, images: Readonly<Record<string, string>>): string => {
  const reference = images[nameIn(image)]
  if (!reference) throw new Error(`no image of ours stands for "${image}"`)
  return reference
}

const RENAMED: Readonly<Record<string, string>> = { 'cloudnative-pg': 'cnpg-manager' }

/** What an argument of the form --name=image becomes; challenges by HTTP are never solved in here. */
const withOurImage = (arg: string, images: Readonly<Record<string, string>>): readonly string[] => {
  if (arg.startsWith('--acme-http01-solver-image=')) return []
  const [, name, image] = /^(--prometheus-config-reloader)=(.*)$/.exec(arg) ?? []
  return name && image ? [`${name}=${ours(image, images)}`] : [arg]
}

/** Nobody scrapes these two, and what they listen with there has no TLS: off, or where only the pod itself can ask. */
const UNHEARD: Readonly<Record<string, string>> = {
  'cnpg-manager': '--metrics-bind-address=0',
  'prometheus-operator': '--web.listen-address=127.0.0.1:8080',
}

const argsOf = (
  { args, image }: Container,
  images: Readonly<Record<string, string>>,
): { args?: readonly string[] } => {
  const unheard = UNHEARD[nameIn(image)]
  const all = [
    ...(args ?? []).flatMap((arg) => withOurImage(arg, images)),
    ...(unheard === undefined ? [] : [unheard]),
  ]
  return all.length === 0 ? {} : { args: all }
}

const ASKED_EVERY_SECONDS = 2

/** As patient as the released one, and not late to see that a program is there: nothing is pulled here. */
const eager = (probe: Probe): Probe => {
  const { initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3, ...rest } = probe
  const patience = initialDelaySeconds + periodSeconds * failureThreshold
  return {
    ...rest,
    periodSeconds: ASKED_EVERY_SECONDS,
    failureThreshold: Math.ceil(patience / ASKED_EVERY_SECONDS),
  }
}

/** A released Deployment with our images, limits, and no right beyond Pod Security `restricted`. */
export const harden = (manifest: Manifest, images: Readonly<Record<string, string>>): Manifest => {
  if (manifest.kind !== 'Deployment') return manifest
  const { spec } = manifest as unknown as Workload
  const pod = spec.template.spec
  const containers = pod.containers.map((container) => ({
    ...container,
    image: ours(container.image, images),
    imagePullPolicy: 'IfNotPresent', // there is no registry to pull from
    ...argsOf(container, images),
    ...(container.env
      ? {
          env: container.env.map((one) =>
            one.name === 'OPERATOR_IMAGE_NAME' && one.value
              ? { ...one, value: ours(one.value, images) }
              : one,
          ),
        }
      : {}),
    ...(container.startupProbe ? { startupProbe: eager(container.startupProbe) } : {}),
    ...(container.readinessProbe ? { readinessProbe: eager(container.readinessProbe) } : {}),
    resources: RESOURCES,
    securityContext: RESTRICTED_CONTAINER,
  }))
  const template = {
    ...spec.template,
    spec: { ...pod, securityContext: RESTRICTED_POD, containers },
  }
  return { ...manifest, spec: { ...spec, template } }
}
