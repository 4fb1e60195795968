# frozen_string_literal: true

# ruby read_env.rb FILE... prints what Ruby's dotenv reads in each, as one JSON list.
# $(commands) are left alone; null stands for a file that dotenv refuses.

require 'bundler/setup'
require 'dotenv'
require 'json'

Dotenv::Substitutions::Command.define_singleton_method(:`) { |command| "$(#{command})" }
texts = ARGV.map { |path| File.open(path, 'rb:bom|utf-8', &:read) }
answers = texts.map do |text|
  Dotenv::Parser.new(text, overwrite: true).call
rescue Dotenv::FormatError
  nil
end
puts JSON.generate(answers)
