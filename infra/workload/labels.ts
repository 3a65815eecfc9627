/** The labels that Services, policies and monitors select by. */
export const selectorOf = (app: string) => ({ 'app.kubernetes.io/name': app })

export const labelsOf = (app: string) => ({
  ...selectorOf(app),
  'app.kubernetes.io/part-of': 'palisade',
})
