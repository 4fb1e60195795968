# frozen_string_literal: true

# Carries out the question of `purge --deleted-since`, in the variable ASK, for the keys on standard
# input: with kt-paperclip's own attachments, and rows that are in memory in place of a database.

require 'bundler/setup'
require_relative 'mastodon_storage'

# What the question uses of a model and its table.
module Rows
  def rows
    @rows ||= []
  end

  def row(id, names)
    rows << new.tap { |one| one.fill(id, names) }
  end

  def where(id:)
    rows.select { |one| Array(id).include?(one.id) }
  end
end

# As Mastodon adds it to every attachment.
module Variants
  def variant?(name)
    return false if original_filename.nil?

    stem = ->(file) { File.basename(file, File.extname(file)) }
    name == original_filename || stem[name] == stem[original_filename]
  end
end
Paperclip::Attachment.prepend(Variants)

def model(name, *files)
  Object.const_set(name, Class.new do
    extend ActiveModel::Callbacks
    extend Rows
    include ActiveModel::Validations

    define_singleton_method(:name) { name }
    define_model_callbacks :save, :destroy
    include Paperclip::Glue

    attr_accessor :id, *files.map { |file| :"#{file}_file_name" }

    files.each do |file|
      has_attached_file file, validate_media_type: false
      do_not_validate_attachment_file_type file
    end

    def fill(id, names)
      @id = id
      names.each { |file, value| public_send(:"#{file}_file_name=", value) }
    end

    # Nobody asks a row for anything but its files.
    def destroy
      abort 'A row was destroyed.'
    end
  end)
end

model('MediaAttachment', :file, :thumbnail)
model('Account', :avatar, :header)
MediaAttachment.row(109_291_000_000_000_001, file: 'aaaa.jpg', thumbnail: 'bbbb.png')
MediaAttachment.row(109_291_000_000_000_002, file: nil)
Account.row(1_000_000, avatar: 'new.png')

eval(ENV.fetch('ASK')) # rubocop:disable Security/Eval
