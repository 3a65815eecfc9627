import { AUDIT_EVENT_TYPES, AuditEvent } from '../audit-event.ts'
import { ERROR_GROUPS } from '../error-codes.ts'
import { BACKEND_REASONS, GRANT_REASONS, ROTATION_REASONS } from '../v1alpha1/conditions.ts'
import { crdName, DEFINITIONS, type Definition } from '../v1alpha1/definitions.ts'
import { API_VERSION } from '../v1alpha1/object.ts'
import { fieldRows, type Node, table } from './markdown.ts'
import type { Output } from './write.ts'

const NOTICE = '<!-- Made by `npm run gen` from api/; do not edit. -->\n'
const HEAD = ['field', 'type', 'required', 'meaning']
const node = (schema: unknown) => JSON.parse(JSON.stringify(schema)) as Node

const page = (path: string, ...parts: readonly string[]): Output => ({
  path: `docs/reference/${path}`,
  text: `${NOTICE}\n${parts.join('\n\n')}\n`,
})

const REASONS: Readonly<Record<string, readonly string[]>> = {
  SecretRotation: ROTATION_REASONS,
  McpGrant: GRANT_REASONS,
  RotationBackend: BACKEND_REASONS,
}

const pageName = (kind: string) => kind.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()

function resourcePage(definition: Definition): Output {
  const { kind, description, scope, shortNames, columns, selectableFields } = definition
  const spec = node(definition.spec)
  const rules = [...definition.rules, ...(spec['x-kubernetes-validations'] ?? [])]
  return page(
    `${pageName(kind)}.md`,
    `# ${kind}`,
    description,
    `\`${API_VERSION}\`, ${scope === 'Cluster' ? 'cluster-scoped' : 'namespaced'}, \`${crdName(definition)}\`, short name \`${shortNames.join('`, `')}\`, category \`palisade\`.`,
    '## Spec',
    table(HEAD, fieldRows(spec)),
    'Rules over several fields:',
    rules.map(({ message }) => `- ${message}`).join('\n'),
    '## Status',
    table(HEAD, fieldRows(node(definition.status))),
    `Reasons of the condition \`Ready\`: ${(REASONS[kind] ?? []).map((reason) => `\`${reason}\``).join(', ')}.`,
    '## Columns and selectors',
    table(
      ['column', 'shown', 'meaning'],
      columns.map((one) => [
        one.name,
        one.priority === 1 ? 'with -o wide' : 'always',
        one.description,
      ]),
    ),
    `Field selectors: ${selectableFields.map((path) => `\`${path.slice(1)}\``).join(', ')}.`,
  )
}

const errorPage = () =>
  page(
    'errors.md',
    '# Errors',
    'Every error answer is `application/problem+json` (RFC 9457) with `code` and `remedy`; the same codes stand in conditions and on the command line. A code is never reused.',
    ...Object.entries(ERROR_GROUPS).flatMap(([title, group]) => [
      `## ${title}`,
      table(
        ['code', 'status', 'meaning', 'what to do'],
        Object.entries(group).map(([code, entry]) => [
          `\`${code}\``,
          String(entry.status),
          entry.title,
          entry.remedy,
        ]),
      ),
    ]),
  )

const auditPage = () =>
  page(
    'audit-record.md',
    '# Audit record, version 1',
    'A record is the RFC 8785 text of the object below. A MAC over these bytes is made before the transaction commits; the leaf of the log is `SHA-256(0x00 || bytes)` (RFC 6962). The sealer gives each record its place (epoch, seq), which is therefore not in the record. Names, addresses, user agents and free text of people appear only inside `personal`, as ciphertext under the key of the person: when that key is destroyed, every proof still holds.',
    table(HEAD, fieldRows(node(AuditEvent))),
    '## Event types',
    AUDIT_EVENT_TYPES.map((type) => `- \`${type}\``).join('\n'),
  )

const indexPage = () =>
  page(
    'README.md',
    '# Reference',
    [
      ...DEFINITIONS.map(({ kind }) => `- [${kind}](${pageName(kind)}.md)`),
      '- [Errors](errors.md)',
      '- [Metrics](metrics.md)',
      '- [Audit record](audit-record.md)',
      '- [OpenAPI document of the gateway](openapi.json)',
    ].join('\n'),
  )

export const referencePages = (): readonly Output[] => [
  indexPage(),
  ...DEFINITIONS.map(resourcePage),
  errorPage(),
  auditPage(),
]
