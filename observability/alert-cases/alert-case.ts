/** Series as promtool writes them: `5x3` is five, five, five, five; `_` is no sample. */
type Series = Readonly<Record<string, string>>

/** What an alert must fire at, with which words, and what it must let pass. */
export interface AlertCase {
  readonly fires: {
    readonly series: Series
    readonly at: string
    readonly labels?: Readonly<Record<string, string>>
    readonly summary: string
  }
  /** The nearest thing that is still in order, after at least as long. */
  readonly silent: { readonly series: Series; readonly at: string }
}
