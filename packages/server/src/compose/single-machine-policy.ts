import type { StateDir } from './state-dir.ts'

/** As [oslo_policy] policy_file has it when nobody sets it. */
export const POLICY_FILE = 'policy.yaml'
export const OLD_POLICY_FILE = 'policy.json'

const CONTENT = `# Rules of this machine's own cloud, on top of the defaults. Read anew when it changes.

# By default only an admin may choose the pull policy. Here the member of project demo may, so that images which are
# only on this machine can be run (--image-pull-policy never or ifnotpresent).
"container:create:image_pull_policy": "is_admin:True or project_id:%(project_id)s"
`

/** The policy file of a single machine; what is there already is the operator's and stays. */
export function ensurePolicyFile(state: StateDir): string {
  if (state.read(OLD_POLICY_FILE) !== undefined) return state.file(OLD_POLICY_FILE)
  if (state.read(POLICY_FILE) === undefined) state.write(POLICY_FILE, CONTENT)
  return state.file(POLICY_FILE)
}
