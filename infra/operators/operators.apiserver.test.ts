import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { moduleFolder } from '../../local/operators/module-source.ts'
import { assembleCertManagerChart } from '../../local/operators/sources.ts'
import type { TestApiServer } from '../../test/support/apiserver.ts'
import { startTestCluster, testStack, type TestStack } from '../../test/support/provider-stack.ts'
import { exampleStack } from '../../test/support/recorded-program.ts'
import { wantedCharts } from './charts.ts'

let cluster: TestApiServer
let stack: TestStack
let folder: string
beforeAll(async () => {
  cluster = await startTestCluster()
  stack = await testStack(cluster, 'operators', 'operators')
  folder = await mkdtemp(join(tmpdir(), 'palisade-chart-'))
})
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]()
  await cluster?.stop()
  if (folder) await rm(folder, { recursive: true })
})

describe('operators.mode install', () => {
  it('plans the real chart of cert-manager from a folder, definitions and waited-for webhooks included', async () => {
    const module = await moduleFolder(
      'cert-manager',
      'github.com/cert-manager/cert-manager',
      AbortSignal.timeout(60_000),
    )
    const chart = join(folder, 'cert-manager')
    await assembleCertManagerChart(module, chart)
    const config = exampleStack({
      operators: {
        mode: 'install',
        except: ['postgres', 'prometheus'],
        charts: { certManager: { chart, version: 'v1.11.5' } },
      },
    })
    await stack.run('preview', { 'operators:charts': wantedCharts(config) })
    const planned = stack.lines.join('\n')
    for (const part of [
      'CustomResourceDefinition cert-manager:certificates.cert-manager.io',
      'Deployment cert-manager:cert-manager/cert-manager-webhook',
      'ValidatingWebhookConfiguration cert-manager:cert-manager-webhook',
    ]) {
      expect(planned).toContain(part)
    }
    expect(planned).not.toContain('startupapicheck')
    expect(planned).not.toContain('failed')
  })
})
