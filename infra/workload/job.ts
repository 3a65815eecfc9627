import { labelsOf } from './labels.ts'
import { resources, restrictedContainer, restrictedPod } from './security.ts'
import { type Mounted, mountsOf, scratch, volumesOf } from './volumes.ts'

export interface JobSpec {
  readonly app: string
  readonly image: string
  /** Arguments of the palisade command line. */
  readonly args: readonly string[]
  readonly serviceAccount: string
  /** Only a Job that makes Kubernetes objects holds a token of the API server. */
  readonly usesApi: boolean
  readonly env?: Readonly<Record<string, string>>
  readonly files?: readonly Mounted[]
}

/** One act that must end well once; repeating it changes nothing. */
export const jobSpec = (job: JobSpec) => {
  const files = [...(job.files ?? []), scratch('tmp', '/tmp')]
  return {
    backoffLimit: 20,
    activeDeadlineSeconds: 900,
    template: {
      metadata: { labels: labelsOf(job.app) },
      spec: {
        restartPolicy: 'OnFailure',
        serviceAccountName: job.serviceAccount,
        automountServiceAccountToken: job.usesApi,
        enableServiceLinks: false,
        securityContext: restrictedPod(),
        containers: [
          {
            name: job.app,
            image: job.image,
            imagePullPolicy: 'IfNotPresent',
            command: ['node', 'cli/main.ts'],
            args: [...job.args],
            env: [
              {
                name: 'POD_NAMESPACE',
                valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } },
              },
              ...Object.entries(job.env ?? {}).map(([name, value]) => ({ name, value })),
            ],
            securityContext: restrictedContainer(),
            resources: resources('20m', '96Mi', '256Mi'),
            volumeMounts: mountsOf(files),
            terminationMessagePolicy: 'FallbackToLogsOnError',
          },
        ],
        volumes: volumesOf(files),
      },
    },
  }
}
