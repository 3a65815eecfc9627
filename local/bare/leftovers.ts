import { readFile } from 'node:fs/promises'

/** Mount points at or beneath a folder, deepest first. Mountinfo writes a space as \\040. */
export function mountsBeneath(mountinfo: string, folder: string): string[] {
  return mountinfo
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replaceAll('\\040', ' '))
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)
}

export const readMounts = (): Promise<string> => readFile('/proc/self/mountinfo', 'utf8')
