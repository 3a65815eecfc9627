/** What a record lies under in the database: columns that neither its hash nor its MAC covers. */
export interface Filing {
  readonly id: string
  readonly tenant: string
  /** Id of the key of its MAC. */
  readonly key: string
}

/**
 * Whether the bytes of a record name what it lies under. A record that does not is where nobody finds it, or is shown
 * for another one, although each of its bytes is what was committed.
 */
export function isFiled(record: Buffer, { id, tenant, key }: Filing): boolean {
  // In RFC 8785 bytes members are sorted, and no string of a record holds a quotation mark: each has one place.
  const text = record.toString('latin1')
  const isThere =
    text.includes(`"format":1,"id":"${id}","macKey":"${key}",`) &&
    text.includes(`,"tenant":"${tenant}","time":"`)
  return isThere || says(record, { id, tenant, key })
}

/** Of a form that has other members: what it is read as counts. */
function says(record: Buffer, filing: Filing): boolean {
  try {
    const event = JSON.parse(record.toString()) as Readonly<Record<string, unknown>> | null
    return (
      event?.['id'] === filing.id &&
      event['tenant'] === filing.tenant &&
      event['macKey'] === filing.key
    )
  } catch {
    return false
  }
}
