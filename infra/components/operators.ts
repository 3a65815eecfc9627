import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import type { OperatorChart } from '../operators/charts.ts'
import { namespaceLabels } from '../workload/namespace.ts'

/**
 * Other people's operators by their own charts, at exact versions. A chart is done when its definitions are served, its
 * programs are ready and its webhooks can be called, so whatever depends on this may use them at once.
 */
export class Operators extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: { readonly charts: readonly OperatorChart[] },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super('palisade:platform:Operators', name, {}, opts)
    for (const { name: chart, namespace, reference, values } of args.charts) {
      const home = new k8s.core.v1.Namespace(
        namespace,
        { metadata: { name: namespace, labels: namespaceLabels() } },
        { parent: this },
      )
      new k8s.helm.v4.Chart(
        chart,
        {
          name: chart,
          namespace,
          chart: reference.chart,
          version: reference.version,
          ...(reference.repo === undefined ? {} : { repositoryOpts: { repo: reference.repo } }),
          values,
        },
        { parent: this, dependsOn: [home] },
      )
    }
    this.registerOutputs({})
  }
}
