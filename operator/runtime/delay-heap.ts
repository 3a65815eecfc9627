interface Entry<V> {
  readonly at: number
  readonly value: V
}

/** A binary heap by due time: 10,000 resources wait here, and the next one due is asked for all the time. */
export class DelayHeap<V> {
  readonly #entries: Entry<V>[] = []

  get size(): number {
    return this.#entries.length
  }

  get nextAt(): number | undefined {
    return this.#entries[0]?.at
  }

  push(value: V, at: number): void {
    const entries = this.#entries
    let index = entries.push({ value, at }) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (this.#at(parent) <= this.#at(index)) return
      this.#swap(index, parent)
      index = parent
    }
  }

  /** Everything due at `now`, earliest first. */
  *due(now: number): Generator<Entry<V>> {
    while ((this.nextAt ?? Infinity) <= now) {
      const entry = this.#pop()
      if (entry) yield entry
    }
  }

  #pop(): Entry<V> | undefined {
    const entries = this.#entries
    const first = entries[0]
    const last = entries.pop()
    if (!first || !last || entries.length === 0) return first
    entries[0] = last
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const right = left + 1
      let least = index
      if (left < entries.length && this.#at(left) < this.#at(least)) least = left
      if (right < entries.length && this.#at(right) < this.#at(least)) least = right
      if (least === index) return first
      this.#swap(index, least)
      index = least
    }
  }

  #at(index: number): number {
    return this.#entries[index]?.at ?? Infinity
  }

  #swap(a: number, b: number): void {
    const entries = this.#entries
    const held = entries[a] as Entry<V>
    entries[a] = entries[b] as Entry<V>
    entries[b] = held
  }
}
