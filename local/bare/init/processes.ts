import { readdir, readFile } from 'node:fs/promises'

/**
 * Processes of the namespace, nobody else's are seen from here.
 * @param says of the content of this file of a process, which is empty when it has just ended
 */
export async function processesWhere(
  file: 'cgroup' | 'cmdline',
  says: (content: string) => boolean,
): Promise<readonly number[]> {
  const found: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    if (says(await readFile(`/proc/${name}/${file}`, 'utf8').catch(() => ''))) {
      found.push(Number(name))
    }
  }
  return found
}

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has just ended by itself.
  }
}
