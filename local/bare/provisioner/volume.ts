import type { V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node'

export const STORAGE_CLASS = 'palisade-local'
export const PROVISIONER = 'palisade.dev/local'

const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'
const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
const UID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A claim waits for its pod to be placed (WaitForFirstConsumer), then for us. */
export function wantsVolume(claim: V1PersistentVolumeClaim, node: string): boolean {
  return (
    claim.spec?.storageClassName === STORAGE_CLASS &&
    !claim.spec.volumeName &&
    !claim.metadata?.deletionTimestamp &&
    claim.metadata?.annotations?.[SELECTED_NODE] === node
  )
}

/** Its data may go: the claim was deleted and the class says Delete. */
export function isReleased(volume: V1PersistentVolume): boolean {
  return (
    volume.metadata?.annotations?.[PROVISIONED_BY] === PROVISIONER &&
    volume.status?.phase === 'Released' &&
    volume.spec?.persistentVolumeReclaimPolicy === 'Delete'
  )
}

/** The uid names the folder, so that a claim made anew under an old name never sees the old data. */
export function volumeName(claim: V1PersistentVolumeClaim): string {
  const uid = claim.metadata?.uid ?? ''
  if (!UID.test(uid)) throw new Error(`claim ${claim.metadata?.name ?? '?'} has no usable uid`)
  return `pvc-${uid}`
}

export function volumeFor(
  claim: V1PersistentVolumeClaim,
  node: string,
  folder: string,
): V1PersistentVolume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volumeName(claim), annotations: { [PROVISIONED_BY]: PROVISIONER } },
    spec: {
      capacity: { storage: claim.spec?.resources?.requests?.storage ?? '1Gi' },
      accessModes: claim.spec?.accessModes ?? ['ReadWriteOnce'],
      volumeMode: 'Filesystem',
      storageClassName: STORAGE_CLASS,
      persistentVolumeReclaimPolicy: 'Delete',
      // `local`, not `hostPath`: the kubelet then applies the pod's fsGroup to it.
      local: { path: `${folder}/${volumeName(claim)}` },
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        name: claim.metadata?.name ?? '',
        namespace: claim.metadata?.namespace ?? '',
        uid: claim.metadata?.uid ?? '',
      },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            {
              matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }],
            },
          ],
        },
      },
    },
  }
}
