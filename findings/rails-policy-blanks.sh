#!/usr/bin/env bash
# Guess: a no-break space (U+00A0) between two hosts of a list splits it as any blank does, or spoils one host in
# the Content-Security-Policy. Seen: Rails raises for it, at each page.
#
# actionpack 7.2.4 (Ruby 3.1.2); 2026-11-30. Mastodon makes its policy of EXTRA_MEDIA_HOSTS with
# split(/(?:\s*,\s*|\s+)/), as its app/lib/content_security_policy.rb has it.
#
# In Ruby \s is the blanks of ASCII, and [[:space:]] those of Unicode. The list is split by the one, and what comes
# out is held against the other: a sign that is a blank only there stays in the host, and the policy is refused
# with an error, for each page. U+200B, which no one sees either, is a blank for neither, and stands in the
# policy. JavaScript's \s splits at U+00A0, so that a tool in it sees two good hosts.
#
# Output seen:
#   https://a.example, https://b.example: img-src https://a.example https://b.example
#   https://a.example,<U+00A0>https://b.example: InvalidDirectiveError
#   https://a.example<U+3000>https://b.example: InvalidDirectiveError
#   https://a.example<U+0085>: InvalidDirectiveError
#   https://a.example<U+200B>: img-src https://a.example<U+200B>
#   JavaScript: ["https://a.example","https://b.example"]
# Needs gem and Node. Exits 1 when this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
gem install --silent --no-document --install-dir gems activesupport:7.2.4
# Without what pages need: the policy is a file of its own.
gem install --silent --no-document --install-dir gems --ignore-dependencies actionpack:7.2.4

cat > policy.rb <<'RUBY'
require 'active_support'
require 'active_support/core_ext'
module ActionDispatch; end
load File.join(Gem.dir, 'gems/actionpack-7.2.4/lib/action_dispatch/http/content_security_policy.rb')

def told(text) = text.gsub(/[^ -~]/) { |sign| format('<U+%04X>', sign.ord) }
[', ', ",\u00a0", "\u3000"].map { |between| "https://a.example#{between}https://b.example" }
  .push("https://a.example\u0085", "https://a.example\u200b").each do |list|
  hosts = list.split(/(?:\s*,\s*|\s+)/)
  policy = ActionDispatch::ContentSecurityPolicy.new { |one| one.img_src(*hosts) }
  puts "#{told(list)}: #{told(policy.build)}"
rescue StandardError => error
  puts "#{told(list)}: #{error.class.name.split('::').last}"
end
RUBY
seen=$(GEM_HOME=$work/gems ruby -W0 policy.rb
  node -p '"JavaScript: " + JSON.stringify("https://a.example,\u00a0https://b.example".split(/(?:\s*,\s*|\s+)/))')
echo "$seen"
expected='https://a.example, https://b.example: img-src https://a.example https://b.example
https://a.example,<U+00A0>https://b.example: InvalidDirectiveError
https://a.example<U+3000>https://b.example: InvalidDirectiveError
https://a.example<U+0085>: InvalidDirectiveError
https://a.example<U+200B>: img-src https://a.example<U+200B>
JavaScript: ["https://a.example","https://b.example"]'
if [[ $seen == "$expected" ]]; then echo 'as found'; else echo 'CHANGED' && exit 1; fi
