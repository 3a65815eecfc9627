import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Layout } from './layout.ts'

/** Settings of the whole machine that the kubelet changes when it starts; no namespace holds them. */
const CHANGED_BY_KUBELET: readonly string[] = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
]

const recordOf = (layout: Layout): string => join(layout.state, 'sysctls.json')

/** Notes the values that were there before us; a later `up` must not note the kubelet's. */
export async function rememberSysctls(layout: Layout): Promise<void> {
  const values: Record<string, string> = {}
  for (const name of CHANGED_BY_KUBELET) {
    const value = await readFile(join('/proc/sys', name), 'utf8').catch(() => undefined)
    if (value !== undefined) values[name] = value.trim()
  }
  const draft = `${recordOf(layout)}.${process.pid}`
  await writeFile(draft, JSON.stringify(values), { mode: 0o600 })
  // link() refuses an existing name, and a command that is killed leaves no half of a record.
  await link(draft, recordOf(layout)).catch(ifExists)
  await rm(draft, { force: true })
}

/** Puts them back; a setting that was changed by hand meanwhile is put back as well. */
export async function restoreSysctls(layout: Layout): Promise<void> {
  const text = await readFile(recordOf(layout), 'utf8').catch(() => undefined)
  if (text === undefined) return
  for (const [name, value] of Object.entries(JSON.parse(text) as Record<string, string>)) {
    if (CHANGED_BY_KUBELET.includes(name)) await writeFile(join('/proc/sys', name), value)
  }
  await rm(recordOf(layout), { force: true })
}

function ifExists(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
