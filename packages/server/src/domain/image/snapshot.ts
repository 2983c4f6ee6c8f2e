const SNAPSHOT_DOMAIN = 'zund.local'

/**
 * Name under which a project's committed images live on the engine. The engine's image names are shared by all projects
 * of a host; without a place of its own a project could commit over `nginx:latest` and have the others run it.
 */
export function snapshotReference(projectId: string, repository: string): string {
  return `${placeOf(projectId)}${repository}`
}

/** No registry: what is not on the host under this domain is nowhere. Any port, any case. */
export function isSnapshotDomain(domain: string): boolean {
  return domain.toLowerCase().replace(/:\d+$/, '') === SNAPSHOT_DOMAIN
}

/** Is this path, below the snapshots' domain, one of the project's? */
export function ownsSnapshotPath(projectId: string, path: string): boolean {
  return `${SNAPSHOT_DOMAIN}/${path}`.startsWith(placeOf(projectId))
}

/** The name the user gave to a snapshot; any other name stays as it is. */
export function userRepository(projectId: string, repository: string): string {
  const place = placeOf(projectId)
  return repository.startsWith(place) ? repository.slice(place.length) : repository
}

function placeOf(projectId: string): string {
  return `${SNAPSHOT_DOMAIN}/${projectId.toLowerCase()}/`
}
