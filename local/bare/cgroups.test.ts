import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cgroupScript, cgroupsOf, ownCgroups, removeCgroups } from './cgroups.ts'

// Plain folders with the kernel's file names: what is read and written, not what the kernel makes of it.
let mount: string
beforeEach(async () => {
  mount = await mkdtemp(join(tmpdir(), 'palisade-cgroup-'))
})
afterEach(() => rm(mount, { recursive: true, force: true }))

const file = async (path: string, text = ''): Promise<void> => {
  await mkdir(join(mount, path, '..'), { recursive: true })
  await writeFile(join(mount, path), text)
}
const text = (path: string): Promise<string> => readFile(join(mount, path), 'utf8')
const prepare = () => promisify(execFile)('sh', ['-c', cgroupScript(mount)])
const CONTROLLERS = 'cpuset cpu io memory hugetlb pids rdma misc\n'

describe('cgroupsOf', () => {
  it('takes a hybrid for version 1: there the controllers are', async () => {
    await file('memory/tasks')
    await file('unified/cgroup.controllers', '')
    expect(cgroupsOf(mount)).toEqual({ version: 1, isTrueRoot: true, missing: [] })
  })

  it('knows version 2 by its files at the top', async () => {
    await file('cgroup.controllers', CONTROLLERS)
    expect(cgroupsOf(mount)).toEqual({ version: 2, isTrueRoot: true, missing: [] })
  })

  it('tells the part that a container sees from the true root, and names what is not there', async () => {
    await file('cgroup.controllers', 'memory pids\n')
    await file('cgroup.type', 'domain\n')
    expect(cgroupsOf(mount)).toEqual({ version: 2, isTrueRoot: false, missing: ['cpu', 'cpuset'] })
  })
})

describe('cgroupScript', () => {
  it('makes a folder in each hierarchy of version 1 and gives it all processors', async () => {
    await file('memory/tasks')
    await file('cpuset/tasks')
    await file('cpuset/cpuset.cpus', '0-1\n')
    await file('cpuset/cpuset.mems', '0\n')
    await prepare()
    expect(await ownCgroups(mount)).toEqual([
      join(mount, 'cpuset/palisade'),
      join(mount, 'memory/palisade'),
    ])
    expect(await text('cpuset/palisade/cpuset.cpus')).toBe('0-1\n')
  })

  it('hands on in version 2 what is there and not handed on yet', async () => {
    await file('cgroup.controllers', 'cpuset cpu memory pids rdma\n')
    await file('cgroup.subtree_control', 'memory pids\n')
    await file('palisade/cgroup.controllers', 'cpuset cpu memory pids\n')
    await file('palisade/cgroup.subtree_control', '')
    await prepare()
    expect(await text('cgroup.subtree_control')).toBe('memory pids\n+cpu\n+cpuset\n')
    expect(await text('palisade/cgroup.subtree_control')).toBe('+cpu\n+cpuset\n+memory\n+pids\n')
    expect(await ownCgroups(mount)).toEqual([join(mount, 'palisade')])
  })
})

describe('removeCgroups', () => {
  it.each(['', 'memory/'])(
    'removes the tree of ours below "%s" and nothing beside it',
    async (top) => {
      await mkdir(join(mount, top, 'palisade/kubepods/pod1'), { recursive: true })
      await mkdir(join(mount, top, 'system.slice'), { recursive: true })
      await removeCgroups(mount)
      expect(await ownCgroups(mount)).toEqual([])
      expect(await text(`${top}system.slice`).catch((error: { code: string }) => error.code)).toBe(
        'EISDIR',
      )
    },
  )
})
