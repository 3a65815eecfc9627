import { describe, expect, it } from 'vitest'
import { readConfig } from './config.ts'
import { needsReplacement } from './replace-fields.ts'

const config = readConfig({}, {})
const kind = (apiVersion: string, name: string) => ({ apiVersion, kind: name })

describe('needsReplacement', () => {
  it.each([
    ['v1', 'ServiceAccount', ['metadata', 'name']],
    ['v1', 'ServiceAccount', ['metadata', 'namespace']],
    ['batch/v1', 'Job', ['spec', 'template', 'spec', 'containers', 0, 'image']],
    ['apps/v1', 'Deployment', ['spec', 'selector', 'matchLabels', 'app']],
    ['apps/v1', 'StatefulSet', ['spec', 'volumeClaimTemplates', 0]],
    ['v1', 'Secret', ['type']],
    ['v1', 'Secret', ['data', 'a']],
    ['v1', 'ConfigMap', ['data', 'a']],
    ['rbac.authorization.k8s.io/v1', 'RoleBinding', ['roleRef', 'name']],
  ])('%s %s: a change of %j needs a new object', (apiVersion, name, path) => {
    expect(needsReplacement(kind(apiVersion, name), path, config)).toBe(true)
  })

  it.each([
    ['apps/v1', 'Deployment', ['spec', 'selectors']],
    ['apps/v1', 'StatefulSet', ['spec', 'replicas']],
    ['example.com/v1', 'Secret', ['data', 'a']],
    ['v1', 'ServiceAccount', ['metadata', 'labels', 'name']],
  ])('%s %s: a change of %j is made in place', (apiVersion, name, path) => {
    expect(needsReplacement(kind(apiVersion, name), path, config)).toBe(false)
  })

  it('leaves data in place where they are called mutable, but never the type of a Secret', () => {
    const mutable = readConfig({ enableConfigMapMutable: 'true', enableSecretMutable: 'true' }, {})
    expect(needsReplacement(kind('v1', 'ConfigMap'), ['data', 'a'], mutable)).toBe(false)
    expect(needsReplacement(kind('v1', 'Secret'), ['data', 'a'], mutable)).toBe(false)
    expect(needsReplacement(kind('v1', 'Secret'), ['type'], mutable)).toBe(true)
  })
})

describe('readConfig', () => {
  it('refuses a key that it does not understand, by name', () => {
    expect(() => readConfig({ renderYamlToDirectory: 'x' }, {})).toThrow(/"renderYamlToDirectory"/)
  })

  it('refuses to work without server-side apply', () => {
    expect(() => readConfig({ enableServerSideApply: 'false' }, {})).toThrow(/server-side apply/)
  })
})
