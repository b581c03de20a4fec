# nginx's makefile of the module, with real dependencies: nginx's has each object
# depend on every header, and knows nothing of html/.  ci/build calls it with
# OBJS (what configure made), HERE (the project) and ADDON_DEPS= (no headers).

include $(OBJS)/Makefile

CFLAGS += -MMD -MP -MT $@
-include $(wildcard $(OBJS)/addon/*/*.d)

$(OBJS)/payments_html.h: $(wildcard $(HERE)/html/*) $(wildcard $(HERE)/html/locale/*) $(HERE)/ci/embed-html
	sh $(HERE)/ci/embed-html $(HERE)/html >$@.new
	mv $@.new $@
