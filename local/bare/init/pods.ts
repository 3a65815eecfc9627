import { CGROUP } from '../layout.ts'
import { kill, processesWhere } from './processes.ts'

/** Whether /proc/<pid>/cgroup is that of a pod: all of them lie beneath one cgroup of ours, and nothing of the node does. */
export const isOfPod = (cgroups: string, name: string = CGROUP): boolean =>
  cgroups.split('\n').some((line) => line.split('/').includes(name))

/**
 * Ends what runs in pods, as the end of the namespace would a moment later. Their watches would hold the API server
 * up: it waits a minute for connections that are in use.
 */
export async function endPods(): Promise<void> {
  for (const pid of await processesWhere('cgroup', (cgroups) => isOfPod(cgroups))) kill(pid)
}
