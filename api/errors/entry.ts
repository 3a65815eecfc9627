export interface CatalogueEntry {
  /** HTTP status where the error crosses HTTP; 500 for errors of commands and configuration. */
  readonly status: number
  readonly title: string
  /** The next step, as an instruction. A place that knows better gives its own. */
  readonly remedy: string
}

export const entry = (status: number, title: string, remedy: string): CatalogueEntry => ({
  status,
  title,
  remedy,
})
