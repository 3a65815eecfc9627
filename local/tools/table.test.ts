import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { GO_TOOLS, KUBERNETES_VERSION, PULUMI_VERSION } from './table.ts'

const wrapped = (module: string, file: string): string =>
  readFileSync(join(import.meta.dirname, '..', 'bare', 'tools', module, file), 'utf8')
const goMod = (module: string): string => wrapped(module, 'go.mod')

describe('GO_TOOLS', () => {
  it('gives each program one name', () => {
    const names = GO_TOOLS.flatMap((tool) => Object.keys(tool.binaries))
    expect(new Set(names).size).toBe(names.length)
  })
  it.each(GO_TOOLS.map((tool) => [tool.module, tool] as const))(
    'builds only packages that the go.mod of %s names as tools, or its own main.go',
    (module, tool) => {
      for (const path of Object.values(tool.binaries)) {
        if (path === '.') expect(wrapped(module, 'main.go')).toContain('package main')
        else expect(goMod(module)).toContain(path)
      }
    },
  )
  it('calls Kubernetes and Pulumi by the versions that their modules pin', () => {
    expect(goMod('kubernetes')).toContain(`k8s.io/kubernetes ${KUBERNETES_VERSION}`)
    expect(goMod('pulumi')).toContain(`github.com/pulumi/pulumi/pkg/v3 ${PULUMI_VERSION}`)
  })
  it('builds the control plane before anything else', () => {
    const stages = GO_TOOLS.map((tool) => tool.stage)
    expect(stages.indexOf('rest')).toBeGreaterThan(stages.lastIndexOf('control-plane'))
  })
})
