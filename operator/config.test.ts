import { describe, expect, it } from 'vitest'
import { readConfig } from './config.ts'

const env = (change: Record<string, string> = {}) => ({
  PALISADE_CLUSTER_ID: 'c',
  PALISADE_VAULT_ADDR: 'https://openbao:8200',
  PALISADE_VAULT_TOKEN_PATH: '/token',
  ...change,
})

describe('readConfig', () => {
  it('is production with the documented ports unless told otherwise', () => {
    const config = readConfig(env())
    expect(config).toMatchObject({ profile: 'production', metricsPort: 9464, probePort: 8081 })
    expect(config.failpoint).toBeUndefined()
  })

  it('names the setting that is missing', () => {
    expect(() => readConfig({})).toThrow(/ERR_CONFIG_INVALID: PALISADE_CLUSTER_ID is not set/)
  })

  it('has no failpoints outside profile dev', () => {
    const failpoint = { PALISADE_FAILPOINT: 'setVerifier.before:stop@2' }
    expect(() => readConfig(env(failpoint))).toThrow(/PALISADE_FAILPOINT is for profile dev only/)
    expect(readConfig(env({ ...failpoint, PALISADE_PROFILE: 'dev' })).failpoint).toEqual({
      name: 'setVerifier.before',
      act: 'stop',
      passage: 2,
    })
  })

  it('has no file of failpoints outside profile dev', () => {
    const failpoint = { PALISADE_FAILPOINT: '@/run/failpoint' }
    for (const profile of ['staging', 'production']) {
      const change = { ...failpoint, PALISADE_PROFILE: profile }
      expect(() => readConfig(env(change))).toThrow(/PALISADE_FAILPOINT is for profile dev only/)
    }
    expect(readConfig(env({ ...failpoint, PALISADE_PROFILE: 'dev' })).failpoint).toEqual({
      file: '/run/failpoint',
    })
  })

  it.each([
    [{ PALISADE_PROFILE: 'stage' }, /PALISADE_PROFILE is "stage"/],
    [{ PALISADE_POLL: 'often' }, /PALISADE_POLL is not a duration/],
    [{ PALISADE_LEASE_DURATION: '15' }, /PALISADE_LEASE_DURATION is not a duration/],
    [{ PALISADE_METRICS_PORT: '-1' }, /PALISADE_METRICS_PORT is not a whole number/],
    [{ PALISADE_PROFILE: 'dev', PALISADE_FAILPOINT: 'soon' }, /not a failpoint: "soon"/],
  ])('refuses %j', (change, words) => {
    expect(() => readConfig(env(change as unknown as Record<string, string>))).toThrow(words)
  })
})
