/** Our images run as this user; PostgreSQL's images by convention as 26. */
const APP_UID = 10001

/** What Pod Security `restricted` asks of a pod, and a numeric user so that the kubelet can check it. */
export const restrictedPod = (uid: number = APP_UID) => ({
  runAsNonRoot: true,
  runAsUser: uid,
  runAsGroup: uid,
  fsGroup: uid,
  fsGroupChangePolicy: 'OnRootMismatch' as const,
  seccompProfile: { type: 'RuntimeDefault' as const },
})

export const restrictedContainer = () => ({
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
})

/** Requests are what one replica needs idle; memory has a limit so that a leak ends one pod, not the node. */
export const resources = (cpu: string, memory: string, memoryLimit: string = memory) => ({
  requests: { cpu, memory },
  limits: { memory: memoryLimit },
})
