import { describe, expect, it } from 'vitest'
import { openbaoConfig } from './config.ts'
import { accessTo, PLATFORM_POLICIES, platformPolicy } from './policies.ts'

const config = openbaoConfig({ seal: 'static', replicas: 1 })

interface Asked {
  readonly name: string
  readonly path: string
  readonly data: Readonly<Record<string, unknown>>
  readonly mayFail: boolean
}
const asked: readonly Asked[] = config.initialize
  .flatMap((stage) => Object.values(stage))
  .flatMap(({ request }) => request.flatMap((one) => Object.entries(one)))
  .map(([name, { path, data, allow_failure }]) => ({
    name,
    path,
    data,
    mayFail: allow_failure === true,
  }))
const to = (path: string) => asked.filter((one) => one.path === path)

describe('openbaoConfig', () => {
  it('holds no secret: keys are named by file', () => {
    expect(config.seal).toEqual([
      { static: { current_key_id: 'local-1', current_key: 'file:///etc/palisade/seal/key' } },
    ])
  })

  it('names each request of a stage once, or the server does not start', () => {
    for (const stage of config.initialize.flatMap((one) => Object.values(one))) {
      const names = stage.request.flatMap((one) => Object.keys(one))
      expect(new Set(names).size).toBe(names.length)
      expect(names.every((name) => /^[A-Za-z_][A-Za-z0-9_-]*$/.test(name))).toBe(true)
    }
  })

  it('writes audit before anything else and never raw values', () => {
    expect(config.audit[0]?.file.stdout.options).toEqual({
      file_path: 'stdout',
      log_raw: 'false',
    })
  })

  it.each(['apps', 'palisade-state', 'platform'])('demands check-and-set in %s', (store) => {
    const last = to(`${store}/config`).at(-1)
    expect(last?.data['cas_required']).toBe(true)
    expect(last?.mayFail).toBe(false)
  })

  it('lets nothing fail but the early attempts on a store that is not ready yet', () => {
    const lenient = asked.filter(({ mayFail }) => mayFail)
    expect(lenient.every(({ path }) => path.endsWith('/config'))).toBe(true)
    expect(lenient.some(({ path }) => path.startsWith('auth/'))).toBe(false)
  })

  it('binds each role to one account, one audience and one policy, and keeps the default one from it', () => {
    const roles = asked.filter(({ path }) => path.startsWith('auth/kubernetes/role/'))
    expect(roles).toHaveLength(5)
    for (const { data } of roles) {
      // A single name may stand for the list of it.
      const listed = (field: string) => [data[field]].flat()
      expect(listed('bound_service_account_names')).toHaveLength(1)
      expect(listed('bound_service_account_namespaces')).toEqual(['palisade-system'])
      expect(data['audience']).toBe('openbao')
      expect(listed('token_policies')).toHaveLength(1)
      expect(data['token_no_default_policy']).toBe(true)
    }
  })

  it('makes a key for checkpoints that cannot leave', () => {
    expect(to('transit/keys/audit-checkpoint')[0]?.data).toMatchObject({
      exportable: false,
      allow_plaintext_backup: false,
    })
  })
})

describe('policies', () => {
  it.each(PLATFORM_POLICIES)(
    '%s never deletes, which would let an old version number fit again',
    (name) => {
      expect(platformPolicy(name)).not.toContain('"delete"')
      expect(platformPolicy(name)).not.toContain('"sudo"')
    },
  )

  it('of a namespace speak of that namespace alone', () => {
    const { policy } = accessTo('shop').policy.body
    const paths = [...policy.matchAll(/path "([^"]+)"/g)].map(([, path]) => path)
    expect(paths).toEqual(['apps/+/shop/*'])
  })
})
