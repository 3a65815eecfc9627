import { Sealed } from '#core/sealed'
import type { RecordKey, StateStore, StoredValue, ValueStore } from '../ports.ts'
import { decodeRecord, unusableRecord } from './record-shape.ts'
import type { VaultKv } from './vault-kv.ts'

const OPERATOR_ROLE = 'palisade-operator'
/** An earlier record may hold a value that was pending then and is retired or in use by now. */
const RECORD_VERSIONS = 1

/** `palisade-state/<cluster>/<namespace>/<name>`, which the operator alone can read. */
export function createStateStore(kv: VaultKv, cluster: string): StateStore {
  const pathOf = ({ cluster: of = cluster, namespace, name }: RecordKey) =>
    `${of}/${namespace}/${name}`
  return {
    async list(signal) {
      const namespaces = await kv.list(OPERATOR_ROLE, `${cluster}/`, signal)
      const keys = []
      for (const namespace of namespaces.map((folder) => folder.replace(/\/$/, ''))) {
        const names = await kv.list(OPERATOR_ROLE, `${cluster}/${namespace}/`, signal)
        keys.push(...names.map((name) => ({ namespace, name })))
      }
      return keys
    },
    async read(key, signal) {
      const found = await kv.read(OPERATOR_ROLE, pathOf(key), signal)
      if (!found) return undefined
      // To begin anew here would forget who holds what, and a write on 0 does not fit a path that has a number.
      if (!found.value) throw unusableRecord(pathOf(key), 'was deleted')
      return { value: decodeRecord(found.value, pathOf(key)), cas: found.cas }
    },
    // As one text: OpenBao counts the strings of a request and refuses more than a thousand, which an outbox that
    // nobody has taken for a while comes to.
    async write(key, record, cas, signal) {
      // Said again before each new value, for records that are older than this limit or stand in such a store.
      if (cas === 0 || record.rotation?.step === 'setVerifier')
        await kv.keepAtMost(OPERATOR_ROLE, pathOf(key), RECORD_VERSIONS, signal)
      return kv.write(OPERATOR_ROLE, pathOf(key), { record: JSON.stringify(record) }, cas, signal)
    },
  }
}

const OWN = 'palisade_'
const PATH_VERSIONS = 2

/** `apps/<namespace>/<path>`, always with the token of that namespace and of no other. */
export function createValueStore(kv: VaultKv): ValueStore {
  const roleOf = (namespace: string) => `palisade-ns-${namespace}`
  const pathOf = (namespace: string, path: string) => `${namespace}/${path}`
  return {
    async read(namespace, path, signal, version) {
      const found = await kv.read(roleOf(namespace), pathOf(namespace, path), signal, version)
      if (!found) return undefined
      // Somebody deleted the newest version: nobody's value, and its number is the one to write on.
      if (!found.value && version === undefined)
        return { value: { owner: '', released: true }, cas: found.cas }
      if (!found.value) return undefined
      return { value: decode(found.value as Record<string, string>), cas: found.cas }
    },
    async write(namespace, path, value, cas, signal) {
      const role = roleOf(namespace)
      if (cas === 0) await kv.keepAtMost(role, pathOf(namespace, path), PATH_VERSIONS, signal)
      return kv.write(role, pathOf(namespace, path), encode(value), cas, signal)
    },
    destroy: (namespace, path, version, signal) =>
      kv.destroy(roleOf(namespace), pathOf(namespace, path), version, signal),
  }
}

function encode(value: StoredValue): Record<string, string> {
  const { issue } = value
  return {
    ...(issue?.fields.reveal() ?? {}),
    [`${OWN}owner`]: value.owner,
    [`${OWN}released`]: String(value.released),
    ...(issue
      ? {
          [`${OWN}rotation_id`]: issue.rotationId,
          [`${OWN}seq`]: String(issue.seq),
          [`${OWN}version`]: String(issue.version),
        }
      : {}),
  }
}

function decode(stored: Readonly<Record<string, string>>): StoredValue {
  const own = (name: string) => stored[`${OWN}${name}`] ?? ''
  const fields = Object.fromEntries(
    Object.entries(stored).filter(([name]) => !name.startsWith(OWN)),
  )
  return {
    owner: own('owner'),
    released: own('released') === 'true',
    ...(own('rotation_id') === ''
      ? {}
      : {
          issue: {
            rotationId: own('rotation_id'),
            seq: Number(own('seq')),
            version: Number(own('version')),
            fields: Sealed.of(fields),
          },
        }),
  }
}
