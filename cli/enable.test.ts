import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { operatorBindingManifest } from '#core/operator-binding'
import { palisade } from '../test/support/platform-team.ts'
import { kubeconfigFrom } from './config.ts'
import { bindOperator } from './enable-cluster.ts'
import { enableCommand } from './enable.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'palisade-enable-'))
})
afterAll(() => rm(home, { recursive: true }))

describe('palisade enable', () => {
  it.each(['', '..', 'Shop', 'a/b', 'a,b', '*', `${'a'.repeat(64)}`])(
    'refuses %j as a namespace',
    async (name) => {
      await expect(enableCommand.run([name], () => undefined)).rejects.toMatchObject({
        code: 'ERR_USAGE',
      })
    },
  )

  it('prints the RoleBinding under --dry-run, and needs no server for it', async () => {
    const printed = await palisade(['enable', 'shop', '--dry-run'])
    expect(parse(printed)).toEqual(operatorBindingManifest('shop'))
  })

  it.each([
    ['says that there is no kubeconfig', () => ({}), 'there is no kubeconfig'],
    [
      'names a kubeconfig that is not there',
      () => ({ KUBECONFIG: join(home, 'nowhere') }),
      'nowhere" cannot be used; name a kubeconfig',
    ],
  ])('%s', async (_, env, words) => {
    const refused = palisade(['enable', 'shop'], { HOME: home, ...env() })
    await expect(refused).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^ERR_CONFIG_INVALID: /) as string,
    })
    await expect(refused).rejects.toThrow(words)
  })

  it('names an API server that does not answer', async () => {
    const headers = () => Promise.resolve({})
    const nobody = { server: 'https://127.0.0.1:1', headers, tls: {} }
    await expect(bindOperator('shop', nobody)).rejects.toMatchObject({
      code: 'ERR_CLUSTER_UNREACHABLE',
      detail: 'the API server at https://127.0.0.1:1 gave no answer (ECONNREFUSED)',
    })
  })
})

describe('kubeconfigFrom', () => {
  it('is what KUBECONFIG names, and otherwise what is at home, once it is there', async () => {
    expect(kubeconfigFrom({ KUBECONFIG: '/named', HOME: home })).toBe('/named')
    expect(kubeconfigFrom({ KUBECONFIG: '', HOME: home })).toBeUndefined()
    expect(kubeconfigFrom({})).toBeUndefined()
    await mkdir(join(home, '.kube'))
    await writeFile(join(home, '.kube/config'), '')
    expect(kubeconfigFrom({ HOME: home })).toBe(join(home, '.kube/config'))
  })

  it('takes no two files, of which each could name another cluster', () => {
    expect(() => kubeconfigFrom({ KUBECONFIG: '/one:/two' })).toThrow('more than one file')
  })
})
