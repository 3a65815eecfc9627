import type { Stack } from '@pulumi/pulumi/automation/index.js'
import { isAutonamed } from '../provider/autonaming.ts'
import { fieldManagerFor, isAppliedBy } from '../provider/field-manager.ts'
import { KubeApi } from '../provider/kubernetes/api.ts'
import { connect } from '../provider/kubernetes/connect.ts'
import { describeKey, keyOf } from '../provider/kubernetes/object.ts'
import { at, isMap, text } from '../provider/values.ts'
import { readCheckpoint, type Deployment, type PendingOperation } from './checkpoint.ts'
import type { StackRequest } from './request.ts'

/** Read from the state's file: asking the engine would cost every run another start of it. */
async function hasPending(request: StackRequest): Promise<boolean> {
  const { latest } = await readCheckpoint(request)
  return (latest?.pending_operations ?? []).length > 0
}

/**
 * An object with a name of chance that was made but not recorded would stay behind for good: the next
 * run draws another name. One with a fixed name is recognised by the next run and taken over.
 */
async function removeOrphan(
  operation: PendingOperation,
  api: KubeApi,
): Promise<string | undefined> {
  const { urn, inputs } = operation.resource
  if (operation.type !== 'creating' || !isMap(inputs) || !isAutonamed(inputs)) return undefined
  const key = keyOf(inputs)
  if (!(await api.discovery.find(key.apiVersion, key.kind))) return undefined
  const live = await api.find(key)
  if (!live || !isAppliedBy(live, fieldManagerFor(urn))) return undefined
  await api.remove(key, 'Background', text(at(live, ['metadata', 'uid'])))
  return describeKey(key)
}

/** Settles what a killed run had begun, so that the next one starts from what is really there. */
export async function repairPending(
  stack: Stack,
  request: StackRequest,
  say: (line: string) => void,
): Promise<number> {
  if (!(await hasPending(request))) return 0
  const exported = await stack.exportStack()
  const deployment = exported.deployment as Deployment
  const pending = deployment.pending_operations ?? []
  const api = new KubeApi(await connect({ kubeconfig: request.kubeconfig }))
  for (const operation of pending) {
    const removed = await removeOrphan(operation, api)
    if (removed !== undefined)
      say(`removed ${removed}, made by an interrupted run and never recorded`)
  }
  // Creations are taken over, updates and deletions are done again: all of them repeat without harm.
  await stack.importStack({ ...exported, deployment: { ...deployment, pending_operations: [] } })
  say(`settled ${pending.length} operations that an interrupted run had begun`)
  return pending.length
}
