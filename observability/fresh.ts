/** How often Prometheus measures. */
export const SCRAPE_SECONDS = 15
/** One scrape that is missed says nothing yet. */
const FRESH_SECONDS = 4 * SCRAPE_SECONDS

/**
 * Samples of a selector that are still measured. A series that ends while Prometheus is away has no mark of its end,
 * and would count as alive for five minutes more: after a restart of the node every pod's former address does.
 */
export const fresh = (selector: string): string =>
  `(${selector} and timestamp(${selector}) > time() - ${FRESH_SECONDS})`
