import { describe, expect, it } from 'vitest'
import type { Backend } from './backend.ts'
import { type Facts, problemsOf } from './preflight.ts'

const good: Facts = {
  platform: 'linux',
  arch: 'x64',
  uid: 0,
  cgroups: { version: 1, isTrueRoot: true, missing: [] },
  freeGiB: 40,
  toolsBuilt: false,
  folder: '/cache',
  missing: [],
  goVersion: 'go1.26.8',
  takenPorts: [],
  longestSocket: 60,
}

const codesOf = (change: Partial<Facts>, backend: Backend['name'] = 'bare'): string[] =>
  problemsOf({ ...good, ...change }, backend).map((problem) => problem.code)

describe('problemsOf', () => {
  it('finds none on a machine that has everything', () => {
    expect(codesOf({})).toEqual([])
  })
  it.each<[string, Partial<Facts>, string]>([
    ['is not Linux', { platform: 'darwin' }, 'ERR_PLATFORM'],
    ['has another processor', { arch: 'arm64' }, 'ERR_PLATFORM'],
    [
      'is a container with a cgroup v2 of its own',
      { cgroups: { version: 2, isTrueRoot: false, missing: [] } },
      'ERR_CGROUP_NAMESPACE',
    ],
    [
      'has cgroup v2 without a controller of memory',
      { cgroups: { version: 2, isTrueRoot: true, missing: ['memory'] } },
      'ERR_CGROUP_CONTROLLERS',
    ],
    ['is not used as root', { uid: 1000 }, 'ERR_NOT_ROOT'],
    ['lacks a program', { missing: ['ip'] }, 'ERR_PROGRAM_MISSING'],
    ['lacks pip', { missing: ['pip'] }, 'ERR_PIP_MISSING'],
    ['has no Go', { goVersion: undefined }, 'ERR_GO_MISSING'],
    ['has a Go that is too old', { goVersion: 'go1.25.9' }, 'ERR_GO_MISSING'],
    ['has 14.9 GiB free', { freeGiB: 14.9 }, 'ERR_DISK_SPACE'],
    ['has a port taken', { takenPorts: [8443] }, 'ERR_PORT_TAKEN'],
    ['has a state folder with a long path', { longestSocket: 108 }, 'ERR_PATH_TOO_LONG'],
  ])('refuses a machine that %s', (_, change, code) => {
    expect(codesOf(change)).toEqual([code])
  })
  it('accepts cgroup v2 with all that pods are limited by', () => {
    expect(codesOf({ cgroups: { version: 2, isTrueRoot: true, missing: [] } })).toEqual([])
  })
  it('asks for less space once the tools are built', () => {
    expect(codesOf({ toolsBuilt: true, freeGiB: 5 })).toEqual([])
    expect(codesOf({ toolsBuilt: true, freeGiB: 4.9 })).toEqual(['ERR_DISK_SPACE'])
  })
  it('accepts a newer Go', () => {
    expect(codesOf({ goVersion: 'go1.31' })).toEqual([])
  })
  it('asks kind for what it needs as well, and leaves the node to Docker', () => {
    const ofTheNode = {
      ...{ platform: 'darwin', uid: 1000, longestSocket: 108, missing: ['ip'] },
      cgroups: { version: 2, isTrueRoot: false, missing: [] } as const,
    }
    expect(codesOf(ofTheNode, 'kind')).toEqual([])
    const shared = { goVersion: undefined, missing: ['pip'], freeGiB: 14.9, takenPorts: [8443] }
    expect(codesOf(shared, 'kind')).toEqual([
      ...['ERR_GO_MISSING', 'ERR_PIP_MISSING', 'ERR_DISK_SPACE', 'ERR_PORT_TAKEN'],
    ])
  })
  it('names every fault at once, each with a remedy', () => {
    const problems = problemsOf({ ...good, uid: 1, freeGiB: 1, takenPorts: [6443, 8080] }, 'bare')
    expect(problems.map((p) => p.code)).toEqual([
      'ERR_NOT_ROOT',
      'ERR_DISK_SPACE',
      'ERR_PORT_TAKEN',
    ])
    expect(problems.every((p) => p.remedy.length > 10)).toBe(true)
    expect(problems[2]?.message).toContain('127.0.0.1:6443, 127.0.0.1:8080')
  })
  it('names the package that brings a missing program', () => {
    expect(problemsOf({ ...good, missing: ['ip', 'nsenter', 'unshare'] }, 'bare')[0]?.remedy).toBe(
      'apt-get install iproute2 util-linux',
    )
  })
})
