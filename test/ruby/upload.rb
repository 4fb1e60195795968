# frozen_string_literal: true

# ruby upload.rb ENV_FILE
#
# Loads an env file and uploads, reads and deletes through kt-paperclip, all as Mastodon does it.
# Prints one line of JSON; never a secret. Exit code 1 and `error` when a call fails.

require 'bundler/setup'
require 'dotenv'
require 'json'
require 'net/http'
require 'securerandom'
require 'tmpdir'

Dotenv.load(ARGV.fetch(0))

require_relative 'mastodon_storage'

# Notes what goes over the wire: operation, status, names of the x-amz headers.
class RequestLog < Seahorse::Client::Plugin
  ENTRIES = []

  class Handler < Seahorse::Client::Handler
    def call(context)
      response = @handler.call(context)
      headers = context.http_request.headers.to_h
      ENTRIES << {
        operation: context.operation_name,
        status: context.http_response.status_code,
        headers: headers.keys.grep(/\Ax-amz-|\Acontent-md5|\Acache-control/),
        checksumMode: headers['x-amz-checksum-mode'],
        part: context.http_request.endpoint.query.to_s[/(?<!\w)partNumber=(\d+)(?!.*uploadId)/, 1],
      }
      response
    end
  end

  handler(Handler, step: :sign, priority: 0)
end
Aws::S3::Client.add_plugin(RequestLog)

MastodonStorage.configure
require_relative 'media_attachment'

PNG = ['89504e470d0a1a0a0000000d49484452'].pack('H*')

def media(id, folder, bytes)
  path = File.join(folder, "#{SecureRandom.hex(8)}.png")
  File.binwrite(path, PNG + SecureRandom.bytes(bytes - PNG.bytesize))
  [MediaAttachment.new(id, path), path]
end

def round_trip(id, folder, bytes)
  model, path = media(id, folder, bytes)
  model.save
  object = model.file.s3_object
  head = object.head
  copy = "#{path}.copy"
  model.file.copy_to_local_file(:original, copy)
  presigned = Net::HTTP.get_response(URI(model.file.expiring_url(60)))
  result = {
    key: object.key,
    url: model.file.url,
    contentType: head.content_type,
    cacheControl: head.cache_control,
    parts: head.etag[/-(\d+)"\z/, 1].to_i,
    readBack: File.binread(copy) == File.binread(path),
    presigned: presigned.code.to_i,
    presignedSame: presigned.body == File.binread(path),
  }
  model.destroy
  result.merge(deleted: !object.exists?)
end

# As Mastodon's AttachmentBatch: many keys in one DeleteObjects.
def batch_delete(folder)
  objects = [11, 12].map do |id|
    model, = media(id, folder, 100)
    model.save
    model.file.s3_object
  end
  keys = objects.map { |object| { key: object.key } }
  objects.first.bucket.delete_objects(delete: { objects: keys, quiet: true })
  { deleted: objects.none?(&:exists?) }
end

begin
  report = Dir.mktmpdir do |folder|
    {
      small: round_trip(1, folder, 4_096),
      large: round_trip(123_456_789_012_345_678, folder, 16 * 1024 * 1024),
      batch: batch_delete(folder),
    }
  end
  puts JSON.generate(ok: true, **report, requests: RequestLog::ENTRIES)
rescue Aws::Errors::ServiceError, Seahorse::Client::NetworkingError => e
  puts JSON.generate(ok: false, error: e.class.name, requests: RequestLog::ENTRIES)
  exit 1
end
