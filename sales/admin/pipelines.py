"""The back office of pipelines with their stages. Every change goes through the services."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldBooleanSwitchWidget

from crm.admin.base import ServiceAdmin, TenantForm, actor_for
from sales.models import Pipeline, Stage
from sales.services import pipelines, stages

HISTORY = ("created_at", "updated_at", "deleted_at")


class PipelineForm(TenantForm):
    """A pipeline; a new one may begin with the usual stages."""

    seed = forms.BooleanField(required=False, label="With the six usual stages", widget=UnfoldBooleanSwitchWidget)

    class Meta:
        model = Pipeline
        fields = ("name", "is_default")


class StageForm(forms.ModelForm):
    """A stage. Its position is no column here: the service makes room, and the rows are not unique meanwhile."""

    position = forms.IntegerField(
        required=False, min_value=0, widget=UnfoldAdminIntegerFieldWidget, help_text="Empty: the last."
    )

    class Meta:
        model = Stage
        fields = ("name", "probability", "kind")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:  # noqa: SLF001 - Django's documented way to tell a new row
            self.initial["position"] = self.instance.position


class StagesInline(TabularInline):
    """The stages of a pipeline in their order."""

    model = Stage
    form = StageForm
    fields = ("position", "name", "probability", "kind")
    ordering = ("position",)
    extra = 0
    can_delete = True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let the service remove those that have no deals."""
        return self.has_change_permission(request, obj)


@admin.register(Pipeline)
class PipelineAdmin(ServiceAdmin):
    """Pipelines of all organizations."""

    form = PipelineForm
    inlines = (StagesInline,)
    list_display = ("name", "organization", "is_default", "created_at", "deleted_at")
    search_fields = ("name",)
    search_help_text = "The beginning of a name, or an id."
    readonly_fields = ("organization", *HISTORY)
    fieldsets = (
        (None, {"fields": ("name", "organization", "is_default")}),
        ("History", {"fields": HISTORY}),
    )
    add_fieldsets = ((None, {"fields": ("tenant", "name", "is_default", "seed")}),)
    creates = pipelines.create_pipeline
    updates = pipelines.update_pipeline
    deletes = pipelines.delete_pipeline
    restores = pipelines.restore_pipeline

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Let the services add, change, order and remove stages."""
        actor = actor_for(request, form.instance.organization)
        formset.new_objects = formset.changed_objects = formset.deleted_objects = []
        for inline in formset.forms:
            details = {name: value for name, value in inline.cleaned_data.items() if name in inline.changed_data}
            is_new = inline.instance._state.adding  # noqa: SLF001 - Django's documented way to tell a new row
            if inline in formset.deleted_forms:
                if not is_new:
                    stages.delete_stage(actor, inline.instance)
            elif is_new and details:
                stages.add_stage(actor, form.instance, **details)
            elif details:
                stages.update_stage(actor, inline.instance, **details)
