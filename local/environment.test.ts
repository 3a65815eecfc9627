import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { environment } from './environment.ts'
import { exec } from './exec.ts'

const caller = {
  PATH: '/bin',
  XDG_STATE_HOME: '/state',
  https_proxy: 'http://user:word@proxy',
  GOPROXY: 'https://go.test',
  npm_config_registry: 'https://npm.test',
  PIP_INDEX_URL: 'https://user:word@pip.test',
  SSL_CERT_FILE: '/ca.pem',
  DOCKER_HOST: 'unix:///docker.sock',
  AWS_SECRET_ACCESS_KEY: 'canary',
  GOOGLE_APPLICATION_CREDENTIALS: '/key.json',
  PULUMI_CONFIG_PASSPHRASE: 'canary',
}

describe('environment', () => {
  it('hands on where things are and nothing that nobody named', () => {
    expect(environment(undefined, {}, caller)).toEqual({ PATH: '/bin', XDG_STATE_HOME: '/state' })
  })

  it.each([
    ['go', ['GOPROXY', 'SSL_CERT_FILE', 'https_proxy']],
    ['npm', ['SSL_CERT_FILE', 'https_proxy', 'npm_config_registry']],
    ['pip', ['PIP_INDEX_URL', 'SSL_CERT_FILE', 'https_proxy']],
    ['apt', ['SSL_CERT_FILE', 'https_proxy']],
    ['docker', ['DOCKER_HOST']],
  ] as const)('gives %s its own registries and proxies, and not those of another', (tool, own) => {
    const given = Object.keys(environment(tool, {}, caller)).sort()
    expect(given).toEqual(['PATH', 'XDG_STATE_HOME', ...own].sort())
  })

  it('lets what a step sets win over the caller', () => {
    expect(environment('go', { GOPROXY: 'off' }, caller)).toMatchObject({ GOPROXY: 'off' })
  })
})

describe('exec', () => {
  it('starts a program without the secrets of the shell', async () => {
    process.env.PALISADE_TEST_TOKEN = 'canary-0815'
    try {
      expect(await exec('env', [])).not.toContain('canary-0815')
    } finally {
      delete process.env.PALISADE_TEST_TOKEN
    }
  })
})

describe('local/', () => {
  it('starts no program with all that its caller has', () => {
    const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    const sources = files.filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    // Those two run in processes whose own environment is such a list already.
    const starters = sources.filter((path) => !/^(bare\/init|provider)\//.test(path))
    const careless = starters.filter((path) => {
      const text = readFileSync(join(import.meta.dirname, path), 'utf8')
      const starts = /from 'node:child_process'/.test(text) && !/\benv(:|,| })/.test(text)
      return starts || text.includes('...process.env')
    })
    expect(starters.length).toBeGreaterThan(50)
    expect(careless).toEqual([])
  })
})
