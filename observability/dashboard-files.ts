import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RUNBOOKS } from './alert.ts'

const FOLDER = join(import.meta.dirname, 'dashboards/json')

/** The committed documents by uid: what was reviewed is what is deployed, and planning needs no SDK of Grafana. */
export const dashboardFiles = (runbooks: string = RUNBOOKS): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(FOLDER)
      .filter((file) => file.endsWith('.json'))
      .sort()
      .map((file) => [file.replace(/\.json$/, ''), withPagesAt(runbooks, join(FOLDER, file))]),
  )

const withPagesAt = (runbooks: string, file: string): string =>
  readFileSync(file, 'utf8').replaceAll(JSON.stringify(RUNBOOKS), JSON.stringify(runbooks))
