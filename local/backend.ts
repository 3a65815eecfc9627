import type { Image } from './images/archive.ts'
import type { StepContext } from './steps.ts'

/** A Kubernetes on this machine; the stack on top of it is the same. */
export interface Backend {
  readonly name: 'bare' | 'kind'
  /** Where pods get their addresses, for the policies of the cluster's operators. */
  readonly podCidr: string
  /** Of its node; undefined where somebody else keeps it. */
  readonly log: string | undefined
  /** What the stack's configuration must say differently here than `Pulumi.local.yaml` does. */
  readonly stackConfig: Readonly<Record<string, unknown>>
  /** It holds the ports on loopback itself. */
  isThere(): Promise<boolean>
  /** Starts the API server and writes the kubeconfig; pods may still have to wait. */
  startControlPlane(context: StepContext): Promise<string>
  /** Pods run, names resolve, policies are enforced, volumes are made. */
  finishNode(context: StepContext): Promise<string>
  importImages(images: readonly Image[], context: StepContext): Promise<string>
}
