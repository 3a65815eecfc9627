import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { openFindings, type AuditReport, type Exception } from './audit-verdict.ts'

/**
 * The gate on known vulnerabilities. Findings without a dated exception fail it. A registry that does
 * not answer the question (some mirrors do not) is said out loud; `--require` makes that a failure too.
 */
const required = process.argv.includes('--require')
const audit = spawnSync('npm', ['audit', '--json'], { encoding: 'utf8', timeout: 120_000 })
const report = JSON.parse(audit.stdout || '{}') as Partial<AuditReport> & { message?: string }

if (report.vulnerabilities === undefined) {
  console.log(
    `NOT CHECKED: the registry did not answer npm audit (${report.message ?? 'no answer'})`,
  )
  process.exit(required ? 1 : 0)
}
const exceptions = JSON.parse(
  readFileSync(new URL('./audit-exceptions.json', import.meta.url), 'utf8'),
) as Exception[]
const open = openFindings(
  { vulnerabilities: report.vulnerabilities },
  exceptions,
  new Date().toISOString().slice(0, 10),
)
for (const line of open) console.error(line)
if (open.length > 0) {
  console.error('update the package, or add a dated exception to test/gates/audit-exceptions.json')
  process.exit(1)
}
console.log(`no open finding, ${exceptions.length} exceptions`)
