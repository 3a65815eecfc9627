import {
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { RUNBOOKS } from '../alert.ts'

/** Chosen at the top of each dashboard: no dashboard knows the name of a data source. */
export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' } as const

export const runbookLink = (alert: string) => ({
  title: `Runbook: ${alert}`,
  url: `\${runbooks}/${alert}.md`,
})

/** What every dashboard has. */
export const COMMON = () => [
  new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'),
  new TextBoxVariableBuilder('runbooks')
    .label('Runbooks at')
    .description('Address of the folder with the runbook pages; links of panels lead there.')
    .defaultValue(RUNBOOKS)
    .current({ text: RUNBOOKS, value: RUNBOOKS }),
]

const several = (name: string, label: string, values: string) =>
  new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(values)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: ['All'], value: ['$__all'] })

/** Replicas of a program, by pod. */
export const replicaOf = (job: string) =>
  several('replica', 'Replica', `label_values(up{job="${job}"}, pod)`)

/** Namespaces that have a rotation. */
export const rotationNamespace = () =>
  several(
    'namespace',
    'Namespace',
    'label_values(palisade_rotation_stalled{job="operator"}, exported_namespace)',
  )
