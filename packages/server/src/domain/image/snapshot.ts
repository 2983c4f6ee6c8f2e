/**
 * Name under which a project's committed images live on the engine. The engine's image names are shared by all projects
 * of a host; without a place of its own a project could commit over `nginx:latest` and have the others run it.
 */
export function snapshotReference(projectId: string, repository: string): string {
  return `zund.local/${projectId.toLowerCase()}/${repository}`
}
