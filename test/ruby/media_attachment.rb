# frozen_string_literal: true

# A model with one upload and no database; its class name is part of the object key.
class MediaAttachment
  extend ActiveModel::Callbacks
  include ActiveModel::Validations

  define_model_callbacks :save, :destroy
  include Paperclip::Glue

  attr_accessor :id, :file_file_name, :file_content_type

  has_attached_file :file, validate_media_type: false
  do_not_validate_attachment_file_type :file

  def initialize(id, path)
    @id = id
    File.open(path) { |upload| self.file = upload }
  end

  def save
    run_callbacks(:save) { true }
  end

  def destroy
    run_callbacks(:destroy) { true }
  end
end
