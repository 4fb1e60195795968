#!/usr/bin/env bash
# Guess: a new avatar is stored first, and the old one removed after that. S3_RETRY_LIMIT=0, which is Mastodon's
# own value, means one try. Seen: neither.
#
# kt-paperclip 8.0.1, with which Mastodon stores its media, and aws-sdk-s3 1.239.0; Ruby 3.1.2, 2026-11-30.
#
# - A file takes the place of another: HEAD and DELETE of the old object come first, then the PUT of the new one.
#   Where the bucket takes a DELETE and refuses a PUT, as R2 did in 2022 for its x-amz-acl, both are gone: the
#   error takes the change of the record back, and the record names an object that is deleted.
# - Where that HEAD fails, with 503 once, the old object is taken for "not there": the new one is stored, no
#   error is raised, and the old one stays in the bucket, public, with nobody who knows of it. The same when a
#   record is removed: nothing is deleted, and nothing said.
# - A PUT answered with SlowDown is sent six times with 31 s of sleep between them, though retry_limit is 0.
#   Any other name for the same (ServiceUnavailable, and TooManyRequests as R2 has it) gets one try.
#
# Output seen:
#   replaced, PUT refused: HEAD old, DELETE old, PUT new; NotImplemented; holds nothing
#   replaced, HEAD fails: HEAD old, PUT new; no error; holds old, new
#   removed, HEAD fails: HEAD old; no error; holds old
#   SlowDown: 6 PUT, slept 31 s; SlowDown
#   ServiceUnavailable: 1 PUT, slept 0 s; ServiceUnavailable
#   TooManyRequests: 1 PUT, slept 0 s; TooManyRequests
# Needs gem. Exits 1 when this changes. Everything stays on 127.0.0.1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
gem install --silent --no-document --install-dir gems aws-sdk-core:3.265.0 activesupport:7.2.4
gem install --silent --no-document --install-dir gems --minimal-deps aws-sdk-s3:1.239.0 activemodel:7.2.4
gem install --silent --no-document --install-dir gems --minimal-deps kt-paperclip:8.0.1

cat > try.rb <<'RUBY'
require 'active_model'
require 'active_support/all'
require 'aws-sdk-s3'
require 'kt-paperclip'
require 'socket'

# A bucket that notes what it is asked, and refuses some of it.
$asked, $held, $refusal = [], [], {}
server = TCPServer.new('127.0.0.1', 0)
Thread.new do
  loop do
    Thread.new(server.accept) do |socket|
      method, path = socket.gets.split
      name = File.basename(path, '.png')
      length = 0
      until (line = socket.gets) == "\r\n"
        length = line[/\d+/].to_i if line =~ /\Acontent-length:/i
      end
      socket.read(length)
      $asked << "#{method} #{name}"
      code, word = $refusal[method]
      unless code
        $held |= [name] if method == 'PUT'
        $held -= [name] if method == 'DELETE'
        code = method == 'HEAD' && !$held.include?(name) ? 404 : 200
      end
      body = word && method != 'HEAD' ? "<Error><Code>#{word}</Code><Message>no</Message></Error>" : ''
      headers = "ETag: \"e\"\r\nContent-Length: #{body.size}\r\nConnection: close\r\n"
      socket.write("HTTP/1.1 #{code} Told\r\n#{headers}\r\n#{body}")
      socket.close
    end
  end
end

Paperclip.options[:log] = false
class Account
  extend ActiveModel::Callbacks
  include ActiveModel::Validations
  define_model_callbacks :save, :destroy
  include Paperclip::Glue
  attr_accessor :id, :avatar_file_name

  def save = run_callbacks(:save) { true }
  def destroy = run_callbacks(:destroy) { true }
end
# The options of Mastodon that matter here.
Account.has_attached_file :avatar, validate_media_type: false, storage: :s3, path: ':filename',
  s3_region: 'auto', s3_permissions: ->(*) {},
  s3_credentials: { bucket: 'media', access_key_id: 'id', secret_access_key: 'none' },
  s3_options: { endpoint: "http://127.0.0.1:#{server.addr[1]}", force_path_style: true, retry_limit: 0,
                http_continue_timeout: 0 }
Account.do_not_validate_attachment_file_type :avatar
# It sleeps here; how long is noted instead.
module Paperclip::Storage::S3
  def sleep(seconds) = $slept += seconds
end

def avatar(account, name)
  File.write("#{name}.png", name)
  File.open("#{name}.png") { |file| account.avatar = file }
end
def account_with_old
  $refusal, $held, $slept = {}, [], 0
  account = Account.new
  account.id = 1
  avatar(account, 'old')
  account.save
  $asked.clear
  account
end
def error_of
  yield
  'no error'
rescue Aws::Errors::ServiceError => error
  error.class.name.split('::').last
end
def told(what, account, &change)
  error = error_of { change.call(account) }
  puts "#{what}: #{$asked.join(', ')}; #{error}; holds #{$held.empty? ? 'nothing' : $held.join(', ')}"
end
replace = lambda do |account|
  avatar(account, 'new')
  account.save
end

account = account_with_old
$refusal = { 'PUT' => [501, 'NotImplemented'] }
told('replaced, PUT refused', account, &replace)
account = account_with_old
$refusal = { 'HEAD' => [503, 'ServiceUnavailable'] }
told('replaced, HEAD fails', account, &replace)
account = account_with_old
$refusal = { 'HEAD' => [503, 'ServiceUnavailable'] }
told('removed, HEAD fails', account, &:destroy)
[[503, 'SlowDown'], [503, 'ServiceUnavailable'], [429, 'TooManyRequests']].each do |refusal|
  account = account_with_old
  account.destroy
  account = Account.new
  account.id = 2
  avatar(account, 'new')
  $asked.clear
  $refusal = { 'PUT' => refusal }
  error = error_of { account.save }
  puts "#{refusal[1]}: #{$asked.count('PUT new')} PUT, slept #{$slept.to_i} s; #{error}"
end
RUBY
seen=$(env -i PATH="$PATH" HOME="$work" LANG=C.UTF-8 GEM_PATH="$work/gems" timeout 100 ruby -W0 try.rb 2>log) || cat log
echo "$seen"
expected='replaced, PUT refused: HEAD old, DELETE old, PUT new; NotImplemented; holds nothing
replaced, HEAD fails: HEAD old, PUT new; no error; holds old, new
removed, HEAD fails: HEAD old; no error; holds old
SlowDown: 6 PUT, slept 31 s; SlowDown
ServiceUnavailable: 1 PUT, slept 0 s; ServiceUnavailable
TooManyRequests: 1 PUT, slept 0 s; TooManyRequests'
if [[ $seen == "$expected" ]]; then echo 'as found'; else echo 'CHANGED' && exit 1; fi
