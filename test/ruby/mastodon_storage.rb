# frozen_string_literal: true

# Sets up kt-paperclip from the environment as Mastodon 4.6 does, S3 only.
# Source of the facts: mastodon/mastodon config/initializers/paperclip.rb.

require 'active_model'
require 'active_support/all'
require 'aws-sdk-s3'
require 'kt-paperclip'

Paperclip.options[:log] = false

module MastodonStorage
  CACHE_CONTROL = 'public, max-age=315576000, immutable'

  # Downloads with the two variables that change them.
  module Downloads
    def copy_to_local_file(style, path)
      options = {}
      options[:mode] = 'single_request' if ENV['S3_FORCE_SINGLE_REQUEST'] == 'true'
      options[:checksum_mode] = 'DISABLED' if ENV['S3_ENABLE_CHECKSUM_MODE'] != 'true'
      s3_object(style).download_file(path, options)
    end
  end

  module_function

  def configure
    raise 'S3_ENABLED is not true' if ENV['S3_ENABLED'] != 'true'

    Paperclip::Attachment.default_options.merge!(options)
    Paperclip::Storage::S3.prepend(Downloads)
  end

  def options
    {
      storage: :s3,
      use_timestamp: false,
      path: ':class/:attachment/:id_partition/:style/:filename',
      s3_protocol: ENV.fetch('S3_PROTOCOL', 'https'),
      s3_host_name: ENV.fetch('S3_HOSTNAME') { "s3-#{region}.amazonaws.com" },
      s3_region: region,
      s3_permissions: permissions,
      s3_headers: headers,
      s3_credentials: {
        bucket: ENV['S3_BUCKET'],
        access_key_id: ENV['AWS_ACCESS_KEY_ID'],
        secret_access_key: ENV['AWS_SECRET_ACCESS_KEY'],
      },
      s3_options: client_options,
    }.merge(url_options)
  end

  def region
    ENV.fetch('S3_REGION', 'us-east-1')
  end

  # Set and empty: no ACL header at all. Not set: public-read.
  def permissions
    return ->(*) {} if ENV['S3_PERMISSION'] == ''

    ENV.fetch('S3_PERMISSION', 'public-read')
  end

  def headers
    {
      'X-Amz-Multipart-Threshold' => ENV.fetch('S3_MULTIPART_THRESHOLD') { 15.megabytes }.to_i,
      'Cache-Control' => CACHE_CONTROL,
    }
  end

  def client_options
    client = {
      signature_version: ENV.fetch('S3_SIGNATURE_VERSION', 'v4'),
      http_open_timeout: ENV.fetch('S3_OPEN_TIMEOUT', '5').to_i,
      http_read_timeout: ENV.fetch('S3_READ_TIMEOUT', '5').to_i,
      http_idle_timeout: 5,
      retry_limit: ENV.fetch('S3_RETRY_LIMIT', '0').to_i,
    }
    return client unless ENV.key?('S3_ENDPOINT')

    path_style = ENV['S3_OVERRIDE_PATH_STYLE'] != 'true'
    client.merge(endpoint: ENV['S3_ENDPOINT'], force_path_style: path_style)
  end

  def url_options
    host = ENV['S3_ALIAS_HOST'] || ENV['S3_CLOUDFRONT_HOST']
    return { url: ':s3_alias_url', s3_host_alias: host } if host

    ENV.key?('S3_ENDPOINT') ? { url: ':s3_path_url' } : {}
  end
end
