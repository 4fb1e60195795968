/** Extensions that Cloudflare caches by default (docs, cache: Default cache behavior). */
const cached = new Set(
  (
    '7z avi avif apk bin bmp bz2 class css csv dmg doc docx ejs eot eps exe flac gif gz ico iso ' +
    'jar jpeg jpg js mid midi mkv mp3 mp4 ogg otf pdf pict pls png ppt pptx ps rar svg svgz swf ' +
    'tar tif tiff ttf webm webp woff woff2 xls xlsx zip zst'
  ).split(' '),
)

/**
 * `cf-cache-status` of a first visit; the sandbox keeps no objects in its cache. `cache` is what the
 * zone's cache rules say, undefined where they say nothing.
 */
export function cacheStatus(path: string, cache?: boolean): 'MISS' | 'DYNAMIC' | 'BYPASS' {
  if (cache !== undefined) return cache ? 'MISS' : 'BYPASS'
  const extension = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ''
  return cached.has(extension) ? 'MISS' : 'DYNAMIC'
}
