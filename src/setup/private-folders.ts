import type { EdgeRule } from './edge-rule.ts'

const FOLDERS = ['/backups/', '/imports/']

/**
 * Archives and imports of users lie in the bucket as well. Mastodon hands them out by signed links
 * to the S3 endpoint, which this rule does not touch.
 */
export const privateFolders: EdgeRule = {
  id: 'private-folders',
  title: 'Private folders',
  phase: 'http_request_firewall_custom',
  permission: 'custom-rules',
  does: "refuse /backups/ and /imports/ on the media host: they hold users' archives, which Mastodon hands out by signed links elsewhere",
  ready: '/backups/ and /imports/ are refused on the media host',
  of: ({ mediaHost }) => {
    const paths = FOLDERS.map((path) => `starts_with(http.request.uri.path, "${path}")`)
    const expression = `http.host eq "${mediaHost}" and (${paths.join(' or ')})`
    return { expression, action: 'block' }
  },
}
