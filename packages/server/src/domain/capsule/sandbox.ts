/**
 * The container that holds a capsule's network and IPC namespaces and does nothing else. Its record is the capsule's own,
 * its engine container is named after the capsule.
 */

/**
 * Name of the image that each host makes itself. It lies under the domain that is no registry, at a path that is no
 * project's, so nobody can pull or commit another image over it. The number says what is in it.
 */
export const BUILT_IN_SANDBOX_IMAGE = 'zund.local/sandbox:1'

/** What the init containers of a capsule have together to come to their end. */
export const INIT_LIMIT_MS = 3_600_000
