# frozen_string_literal: true

# ruby address.rb JSON prints where kt-paperclip says that a file of a bucket is, for each of a list
# of settings, as one JSON list.

require 'bundler/setup'
require 'json'
require_relative 'mastodon_storage'
require_relative 'media_attachment'

answers = JSON.parse(ARGV.fetch(0)).map do |settings|
  ENV.delete_if { |name, _| name.start_with?('S3_', 'AWS_') }
  ENV.update(settings)
  media = MediaAttachment.allocate
  media.file_file_name = 'key.png'
  attachment = Paperclip::Attachment.new(:file, media, MastodonStorage.options)
  attachment.define_singleton_method(:path) { |*| 'key.png' }
  attachment.url
end
puts JSON.generate(answers)
